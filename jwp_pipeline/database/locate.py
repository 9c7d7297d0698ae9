"""Which database: the one that settings name, or the embedded PostgreSQL, started when first asked for."""

from __future__ import annotations

from sqlalchemy import Engine, make_url

from jwp_pipeline.database.connection import connect, open_engine
from jwp_pipeline.database.migrate import create_schema, migrate
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


def dagster_storage_url(settings: Settings) -> str:
    """URL for Dagster's own storage, psycopg 2 spelt out (psycopg 3 breaks its webserver, dagster#33958).

    On the server of our tables Dagster's stand in a schema of their own, which is made here.
    """
    if settings.jwp_dagster_database_url is not None:
        url = make_url(settings.jwp_dagster_database_url.get_secret_value())
    else:
        url = make_url(database_url(settings))
        engine = open_engine(url.render_as_string(hide_password=False), DAGSTER_SCHEMA)
        with connect(engine) as connection:
            create_schema(connection, DAGSTER_SCHEMA)
        engine.dispose()
        url = url.update_query_dict({"options": f"-csearch_path={DAGSTER_SCHEMA}"})
    return url.set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)
