"""Alembic's entry: runs the steps on the connection that `database.migrate` hands over, then describes the columns."""

from alembic import context

from jwp_pipeline.database.descriptions import describe_columns

connection = context.config.attributes["connection"]
context.configure(connection=connection)
with context.begin_transaction():
    context.run_migrations()
    describe_columns(connection)
