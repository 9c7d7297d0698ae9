"""Finds the day on which the change log begins, for the definitions that Dagster loads. No day before it matters.

Definitions must load even while the database is away, so this starts nothing, and gives up after a few seconds.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

import psycopg
from psycopg.sql import SQL, Identifier

from jwp_pipeline.database.locate import database_if_ready
from jwp_pipeline.errors import PipelineError
from jwp_pipeline.settings import Settings

_SECONDS = 3
_FIRST_DAY = SQL("SELECT CAST(min(applied_at) AT TIME ZONE 'UTC' AS date) FROM {}")


def first_day_of_log(settings: Settings) -> date | None:
    """Return the first day (UTC) of the change log, or today if there is no log yet.

    Returns None if the database cannot be asked at present. Never raises.
    """
    try:
        database = database_if_ready(settings)
        if database is None:
            return None
        arguments = database.connection_arguments() | {"connect_timeout": str(_SECONDS)}
        with psycopg.connect(**arguments, autocommit=True) as connection:  # type: ignore[arg-type]
            connection.execute(f"SET statement_timeout TO '{_SECONDS}s'")
            snapshots = Identifier(settings.jwp_database_schema, "raw_snapshots")
            row = connection.execute(_FIRST_DAY.format(snapshots)).fetchone()
    except psycopg.errors.UndefinedTable:
        row = None
    except (psycopg.Error, PipelineError, OSError, ValueError):
        return None
    return (row[0] if row else None) or datetime.now(UTC).date()
