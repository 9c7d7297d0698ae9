"""A migrated database for all tests of the media side, emptied before each, and a simulated site beside it."""

import secrets
from urllib.parse import urlsplit

import psycopg
import pytest
from sqlalchemy import text

from jwp_pipeline.database.connection import open_engine
from jwp_pipeline.database.media_tables import Base
from jwp_pipeline.database.migrate import migrate
from jwp_pipeline.simulator import Simulator

SCHEMA = "jwp"


@pytest.fixture(scope="package")
def media_url(postgres_url):
    """URL of a database with our tables."""
    name = f"media_{secrets.token_hex(6)}"
    url = urlsplit(postgres_url)._replace(path=f"/{name}").geturl()
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        engine = open_engine(url, SCHEMA)
        migrate(engine, SCHEMA)
        engine.dispose()
        yield url
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def engine(media_url):
    """An engine on our tables, which are empty."""
    engine = open_engine(media_url, SCHEMA)
    empty(engine)
    yield engine
    engine.dispose()


def empty(engine):
    """Empty all our tables."""
    names = ", ".join(table.name for table in Base.metadata.sorted_tables)
    with engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {names} CASCADE"))


@pytest.fixture
def simulator():
    """A simulated site without any videos."""
    with Simulator() as running:
        yield running


@pytest.fixture(params=["v1", "v2"])
def api(request):
    """Each Management API in turn."""
    return request.param
