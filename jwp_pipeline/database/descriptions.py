"""Copies the `comment`s of the models' columns to PostgreSQL after every migration.

The models are the only place for these texts, so a migration that adds a column need not repeat them.
"""

from __future__ import annotations

from sqlalchemy import Connection, Table, inspect
from sqlalchemy.schema import DropColumnComment, SetColumnComment

from jwp_pipeline.database import (
    budget_tables,
    history_tables,
    import_tables,
    media_tables,
    outbox_tables,
    tables,
    webhook_tables,
)

MODELS = (tables, media_tables, history_tables, outbox_tables, webhook_tables, budget_tables, import_tables)
"""The modules that define our tables; importing them registers the tables with `Base`."""


def table_named(name: str) -> Table:
    """Return the definition of one of our tables. Raises KeyError if there is none with this name."""
    return tables.Base.metadata.tables[name]


def describe_columns(connection: Connection) -> None:
    """Update the comment of each column that differs from its model, in the caller's transaction."""
    inspector = inspect(connection)
    for table in tables.Base.metadata.sorted_tables:
        if not inspector.has_table(table.name):
            continue
        for column in inspector.get_columns(table.name):
            model = table.columns.get(column["name"])
            if model is not None and model.comment != column["comment"]:
                connection.execute(SetColumnComment(model) if model.comment else DropColumnComment(model))
