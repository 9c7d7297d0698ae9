"""Alembic's entry point: runs the steps on the connection from `database.migrate`, then sets the column comments."""

from alembic import context

from jwp_pipeline.database.descriptions import describe_columns

connection = context.config.attributes["connection"]
context.configure(connection=connection)
with context.begin_transaction():
    context.run_migrations()
    describe_columns(connection)
