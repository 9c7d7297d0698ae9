"""A migrated database for all tests of the history, emptied before each; and a log that can be dated at will."""

import secrets
from urllib.parse import urlsplit

import psycopg
import pytest
from sqlalchemy import text

from jwp_pipeline.database.connection import open_engine
from jwp_pipeline.database.history_tables import LibraryDay
from jwp_pipeline.database.media_tables import Base
from jwp_pipeline.database.migrate import migrate
from jwp_pipeline.mirror.resources import set_resources
from jwp_pipeline_tests.support import rows

SCHEMA = "jwp"


@pytest.fixture(scope="package")
def history_url(postgres_url):
    """URL of a database with our tables."""
    name = f"history_{secrets.token_hex(6)}"
    url = urlsplit(postgres_url)._replace(path=f"/{name}").geturl()
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        engine = open_engine(url, SCHEMA)
        migrate(engine, SCHEMA)
        engine.dispose()
        yield url
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def engine(history_url):
    """An engine on our tables, which are empty."""
    engine = open_engine(history_url, SCHEMA)
    empty(engine)
    yield engine
    engine.dispose()


def empty(engine):
    """Empty all our tables."""
    names = ", ".join(table.name for table in Base.metadata.sorted_tables)
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {names} CASCADE"))


def mirror(engine, elements, resource_type="video", *, at=None):
    """Make the cache hold `elements`, as if the mirror had seen them at `at` (UTC), by default now."""
    with engine.begin() as connection:
        snapshot = set_resources(connection, elements, resource_type).snapshot_id
        if at is not None:
            for table, column, of in (
                ("resource_changes", "changed_at", "snapshot_id"),
                ("raw_snapshots", "applied_at", "id"),
            ):
                connection.execute(
                    text(f"UPDATE {table} SET {column} = :at WHERE {of} = :snapshot"), {"at": at, "snapshot": snapshot}
                )


def kept(engine):
    """(day, type) → row of library_history, with the transactions that wrote it and that locked it."""
    found = rows(engine, f"SELECT *, xmin || ' ' || xmax AS touched_by FROM {LibraryDay.__tablename__}")
    return {(row.day, row.type): row for row in found}
