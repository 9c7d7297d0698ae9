"""Alembic's entry: runs the steps on the connection that `database.migrate` hands over."""

from alembic import context

from jwp_pipeline.database.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
