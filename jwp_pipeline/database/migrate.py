"""Bring a schema to this version's tables; runs by itself before every use, and from `make migrate`.

The steps are Alembic's, in `migrations/versions/`. Not here: the tables themselves (tables.py).
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from jwp_pipeline.database.connection import advisory_lock, connect
from jwp_pipeline.errors import DatabaseError


def migrate(engine: Engine, schema: str) -> bool:
    """Create or upgrade all tables in `schema`; True when there was something to do. Safe from many processes.

    Raises DatabaseError when the schema was made by a newer version of this program.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    script = ScriptDirectory.from_config(config)
    with connect(engine) as connection:
        if _revision(connection) == script.get_current_head():
            return False
        connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'))
        connection.commit()
        with advisory_lock(connection, "migration", patience=60):
            _refuse_newer(connection, script, schema)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    return True


def _revision(connection: Connection) -> str | None:
    revision = MigrationContext.configure(connection).get_current_revision()
    connection.rollback()
    return revision


def _refuse_newer(connection: Connection, script: ScriptDirectory, schema: str) -> None:
    revision = _revision(connection)
    known = {step.revision for step in script.walk_revisions()}
    if revision is not None and revision not in known:
        raise DatabaseError(
            f"Schema {schema} is at migration {revision}, which this version of jwp_pipeline does not know: "
            "a newer version made it. Use that version, or another JWP_DATABASE_SCHEMA."
        )
