"""Moves back what the database has dated since some moment, in our tables and in Dagster's, for the demo's history."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import Connection, Engine, text

from jwp_pipeline.database.connection import connect
from jwp_pipeline.database.locate import DAGSTER_SCHEMA
from jwp_pipeline.database.sql import statement


def clock(engine: Engine) -> datetime:
    """Return the time by the server's clock."""
    with connect(engine) as connection:
        now: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        return now


def move_back(engine: Engine, schema: str, *, since: datetime, by: timedelta) -> None:
    """Make every time from `since` on earlier by `by`, in the tables of `schema` and of Dagster.

    Triggers do not see it, which takes a superuser: only the embedded server is used in this way. Raises DatabaseError.
    """
    with connect(engine) as connection, connection.begin():
        connection.execute(text("SET LOCAL session_replication_role TO replica"))
        for update in _updates(connection, schema):
            connection.execute(text(update), {"since": since, "by": by})


def _updates(connection: Connection, schema: str) -> Iterator[str]:
    found = connection.execute(
        statement("jwp_pipeline.commands", "columns_with_times"), {"schemas": [schema, DAGSTER_SCHEMA]}
    ).all()
    for table, columns in groupby(found, key=lambda row: row.table):
        yield _update(table, [(row.column, row.as_time, row.moved) for row in columns])


def _update(table: str, columns: Iterable[tuple[str, str, str]]) -> str:
    columns = list(columns)
    moved = (f"{name} = CASE WHEN {as_time} >= :since THEN {moved} ELSE {name} END" for name, as_time, moved in columns)
    dated = " OR ".join(f"{as_time} >= :since" for _, as_time, _ in columns)
    return f"UPDATE {table} SET {', '.join(moved)} WHERE {dated}"
