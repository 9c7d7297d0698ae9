"""Column descriptions: the models' `comment`s, brought to PostgreSQL after every migration.

So they stand in one place, and a migration that adds a column need not repeat its text.
"""

from __future__ import annotations

from sqlalchemy import Connection, inspect
from sqlalchemy.schema import DropColumnComment, SetColumnComment

from jwp_pipeline.database import history_tables, media_tables, tables

MODELS = (tables, media_tables, history_tables)
"""The modules that make the tables known to `Base`."""


def describe_columns(connection: Connection) -> None:
    """Set the comment of each column whose model says another, and of no other; in the caller's transaction."""
    inspector = inspect(connection)
    for table in tables.Base.metadata.sorted_tables:
        if not inspector.has_table(table.name):
            continue
        for column in inspector.get_columns(table.name):
            model = table.columns.get(column["name"])
            if model is not None and model.comment != column["comment"]:
                connection.execute(SetColumnComment(model) if model.comment else DropColumnComment(model))
