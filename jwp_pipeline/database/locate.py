"""Finds the database to use: the one in the settings, or else the embedded PostgreSQL, which is started on demand."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Engine

from jwp_pipeline.database.connection import connect, open_engine, read_database
from jwp_pipeline.database.migrate import create_schema, migrate
from jwp_pipeline.database.session import Database
from jwp_pipeline.settings import Settings

DAGSTER_SCHEMA = "dagster"


def database_url(settings: Settings) -> str:
    """Return the URL of the database with our tables; if none is configured, start or join the embedded server."""
    if settings.jwp_database_url is not None:
        return settings.jwp_database_url.get_secret_value()
    from jwp_pipeline.database.embedded import ensure_running

    return ensure_running(settings.jwp_home)


def database_if_ready(settings: Settings) -> Database | None:
    """Return the database with our tables if it is there without anything being started, else None.

    Raises DatabaseError if its URL cannot be read.
    """
    if settings.jwp_database_url is not None:
        url: str | None = settings.jwp_database_url.get_secret_value()
    else:
        from jwp_pipeline.database.embedded import url_if_running

        url = url_if_running(settings.jwp_home)
    return None if url is None else read_database(url, settings.jwp_database_schema)


def open_database(settings: Settings) -> Engine:
    """Return an engine for our schema, after creating or migrating its tables. Raises DatabaseError."""
    engine = open_engine(database_url(settings), settings.jwp_database_schema)
    migrate(engine, settings.jwp_database_schema)
    return engine


def dagster_database(settings: Settings) -> Database:
    """Return the database with Dagster's own tables: a separate one, or a schema next to ours, which is created here.

    This connects to it once, so that a problem with it is reported with our own messages. Raises DatabaseError.
    """
    if settings.jwp_dagster_database_url is not None:
        url, schema = settings.jwp_dagster_database_url.get_secret_value(), None
        setting = "JWP_DAGSTER_DATABASE_URL"
    else:
        url, schema, setting = database_url(settings), DAGSTER_SCHEMA, "JWP_DATABASE_URL"
    engine = open_engine(url, schema, setting=setting)
    with connect(engine) as connection:
        if schema is not None:
            create_schema(connection, schema)
    engine.dispose()
    # Dagster itself decides how long it waits for locks.
    return replace(read_database(url, schema, setting=setting), lock_seconds=None, application="jwp_pipeline_dagster")
