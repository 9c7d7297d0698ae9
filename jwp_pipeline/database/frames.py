"""Reads our tables and views as pandas data frames, for notebooks and downstream assets. Nothing is computed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Engine, inspect, text

from jwp_pipeline.database.connection import connect
from jwp_pipeline.errors import DatabaseError

if TYPE_CHECKING:
    import pandas as pd


def read_frame(
    engine: Engine, table: str, *, columns: list[str] | None = None, where: str | None = None, **parameters: object
) -> pd.DataFrame:
    """Return a table or view of our schema as a data frame, with its rows in no particular order.

    `where` is an SQL condition with `:parameters`. Times are UTC; jsonb columns hold dicts and lists. Raises
    DatabaseError if the table or a column is unknown, and lists those that exist.
    """
    import pandas as pd  # Importing it takes half a second, so a sync does without.

    with connect(engine) as connection:
        inspector = inspect(connection)
        known = {*inspector.get_table_names(), *inspector.get_view_names()}
        if table not in known:
            raise DatabaseError(f"There is no table or view {table!r}. There are: {', '.join(sorted(known))}.")
        available = [column["name"] for column in inspector.get_columns(table)]
        unknown = sorted(set(columns or ()) - set(available))
        if unknown:
            raise DatabaseError(f"{table} has no column {unknown[0]!r}. It has: {', '.join(available)}.")
        listed = ", ".join(f'"{column}"' for column in columns or available)
        statement = f'SELECT {listed} FROM "{table}"' + (f" WHERE {where}" if where else "")
        return pd.read_sql_query(text(statement), connection, params=parameters)  # type: ignore[arg-type]
