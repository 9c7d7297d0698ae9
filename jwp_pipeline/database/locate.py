"""Which database: the one that settings name, or the embedded PostgreSQL, started when first asked for."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Engine

from jwp_pipeline.database.connection import connect, open_engine, read_database
from jwp_pipeline.database.migrate import create_schema, migrate
from jwp_pipeline.database.session import Database
from jwp_pipeline.settings import Settings

DAGSTER_SCHEMA = "dagster"


def database_url(settings: Settings) -> str:
    """URL of the database of our tables; starts or joins the embedded server when none is configured."""
    if settings.jwp_database_url is not None:
        return settings.jwp_database_url.get_secret_value()
    from jwp_pipeline.database.embedded import ensure_running

    return ensure_running(settings.jwp_home)


def open_database(settings: Settings) -> Engine:
    """An engine on our schema, which exists and is up to date. Raises DatabaseError."""
    engine = open_engine(database_url(settings), settings.jwp_database_schema)
    migrate(engine, settings.jwp_database_schema)
    return engine


def dagster_database(settings: Settings) -> Database:
    """Where Dagster keeps its own tables: in a database of its own, or in a schema beside ours, which is made here.

    It has been reached once, so that what is wrong with it is told in our words. Raises DatabaseError.
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
    # How long Dagster waits is its own affair.
    return replace(read_database(url, schema, setting=setting), lock_seconds=None, application="jwp_pipeline_dagster")
