"""Our tables and views as pandas data frames, for notebooks and downstream assets.

A frame is what a table holds: nothing is computed here.
"""

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
    """A table or view of our schema as a data frame, ordered as the database gives it.

    `where` is SQL with `:parameters`. Times are UTC; jsonb columns hold dicts and lists. Raises DatabaseError
    naming what there is when the table or a column is unknown.
    """
    import pandas as pd  # its import costs half a second, which a sync need not pay

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
