"""Bring a schema to this version's tables; runs by itself before every use, and from `make migrate`.

The steps are Alembic's, in `migrations/versions/`. Not here: the tables themselves (tables.py).
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, text

from jwp_pipeline.database.connection import advisory_lock, connect
from jwp_pipeline.errors import DatabaseError

_FOLDER = Path(__file__).parent / "migrations"


def migrate(engine: Engine, schema: str) -> bool:
    """Create or upgrade all tables in `schema`; True when there was something to do. Safe from many processes.

    Raises DatabaseError when the schema was made by a newer version of this program.
    """
    # The steps' file names begin with their revision: 0001_mirror.py.
    known = sorted(path.name.split("_")[0] for path in (_FOLDER / "versions").glob("[0-9]*.py"))
    with connect(engine) as connection:
        if _revision(connection) == known[-1]:
            return False
        with connection.begin():
            connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'))
        with advisory_lock(connection, "the tables' migration", patience=60):
            revision = _revision(connection)
            if revision is not None and revision not in known:
                raise DatabaseError(
                    f"Schema {schema} is at migration {revision}, which this version of jwp_pipeline does not know: "
                    "a newer version made it. Use that version, or another JWP_DATABASE_SCHEMA."
                )
            _upgrade(connection)
    return True


def _revision(connection: Connection) -> str | None:
    with connection.begin():
        if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
            return None
        revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return None if revision is None else str(revision)


def _upgrade(connection: Connection) -> None:
    # Costs a quarter of a second to import, which a schema that is up to date need not pay.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.commit()
