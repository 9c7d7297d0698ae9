"""Migrates a schema to the tables of this version, automatically before every use and with `make migrate`.

The steps are Alembic migrations in `migrations/versions/`; the models in tables.py define the current tables.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from jwp_pipeline.database.connection import WRITER_LOCK, advisory_lock, connect
from jwp_pipeline.database.revision import (
    MIGRATIONS,
    known_revisions,
    lock_for_migration,
    newest_revision,
    stored_revision,
)
from jwp_pipeline.database.transactions import TRIES
from jwp_pipeline.database.translation import CONFLICTS, sqlstate, words
from jwp_pipeline.errors import MigrationError

# SQLSTATE classes of a step that fails because of existing tables or data, or because a permission is missing.
_IN_THE_WAY = ("22", "23", "2B", "42")


def migrate(engine: Engine, schema: str) -> bool:
    """Create or upgrade all tables in `schema`. Returns whether there was anything to do.

    Several processes may call this at the same time. Raises MigrationError if a newer version of this program made the
    schema or the server refuses a step, and another DatabaseError if the database cannot be used.
    """
    with connect(engine) as connection:
        for _ in range(1, TRIES):
            try:
                return _migrate(connection, schema)
            except DBAPIError as error:
                # Our locks have to be free before the next try, because the other transaction may wait for them.
                if sqlstate(error) not in CONFLICTS:
                    raise
        return _migrate(connection, schema)


def _migrate(connection: Connection, schema: str) -> bool:
    try:
        if _revision(connection) == newest_revision():
            return False
        create_schema(connection, schema)
        with (
            advisory_lock(connection, "the tables' migration", patience=60),
            # A writer, which may be of an older version, finishes first.
            advisory_lock(connection, WRITER_LOCK, patience=60),
        ):
            revision = _revision(connection)
            if revision is not None and revision not in known_revisions():
                raise MigrationError(
                    f"Schema {schema} is at migration {revision}, which this version of jwp_pipeline does not "
                    "know: a newer version made it. Use that version, or another JWP_DATABASE_SCHEMA."
                )
            _upgrade(connection)
    except DBAPIError as error:
        if not sqlstate(error).startswith(_IN_THE_WAY):
            raise
        raise MigrationError(
            f"The tables in schema {schema} cannot be brought to migration {newest_revision()}: {words(error)}. "
            "They were left as they are. If it lacks a right: let the role that owns the schema and all in it run "
            "`jwp-pipeline migrate`, or make the user of JWP_DATABASE_URL their owner."
        ) from None
    return True


def create_schema(connection: Connection, schema: str) -> None:
    """Create the schema if it does not exist, in a separate transaction. Raises MigrationError or SQLAlchemyError."""
    try:
        with connection.begin():
            # IF NOT EXISTS alone is not enough: if two processes run it at the same moment, one of them fails.
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": schema})
            # Look for the schema first: a user without the right to create schemas may use one that exists.
            if connection.scalar(text("SELECT to_regnamespace(:name)"), {"name": f'"{schema}"'}) is None:
                connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'))
            usable = connection.scalar(text("SELECT has_schema_privilege(:name, 'USAGE')"), {"name": schema})
    except DBAPIError as error:
        if not sqlstate(error).startswith(_IN_THE_WAY):
            raise
        raise MigrationError(
            f"Schema {schema} cannot be made: {words(error)}. Let the user of JWP_DATABASE_URL make it "
            f"(GRANT CREATE ON DATABASE), or make it for that user (CREATE SCHEMA {schema} AUTHORIZATION)."
        ) from None
    if not usable:
        raise MigrationError(
            f"Schema {schema} is not for the user of JWP_DATABASE_URL to use. Make that user its owner "
            f"(ALTER SCHEMA {schema} OWNER TO), or name another in JWP_DATABASE_SCHEMA."
        )


def _revision(connection: Connection) -> str | None:
    with connection.begin():
        return stored_revision(connection)


def _upgrade(connection: Connection) -> None:
    # Importing Alembic takes a quarter of a second, so this happens only if there is something to migrate.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    lock_for_migration(connection)
    command.upgrade(config, "head")
    connection.commit()
