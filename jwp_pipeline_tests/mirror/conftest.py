"""A migrated database for all tests of the mirror, emptied before each."""

import secrets
from urllib.parse import urlsplit

import psycopg
import pytest
from sqlalchemy import text

from jwp_pipeline.database.connection import open_engine
from jwp_pipeline.database.migrate import migrate
from jwp_pipeline.simulator import Fault, Simulator
from jwp_pipeline_tests.support import jwplatform, video, videos

SCHEMA = "jwp"
PAGE = 5


@pytest.fixture(scope="package")
def mirror_url(postgres_url):
    """URL of a database with our tables."""
    name = f"mirror_{secrets.token_hex(6)}"
    url = urlsplit(postgres_url)._replace(path=f"/{name}").geturl()
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        engine = open_engine(url, SCHEMA)
        migrate(engine, SCHEMA)
        engine.dispose()
        yield url
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def engine(mirror_url):
    """An engine on our tables, which are empty."""
    engine = open_engine(mirror_url, SCHEMA)
    empty(engine)
    yield engine
    engine.dispose()


def empty(engine):
    """Empty all our tables."""
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE raw_snapshots, cached_resources, resource_changes, sync_problems CASCADE"))


@pytest.fixture
def simulator():
    """A simulated site without any videos."""
    with Simulator() as running:
        yield running


@pytest.fixture
def twelve_videos(simulator):
    """The site, with 12 videos."""
    simulator.library.replace_all(videos(*range(12)), [])
    return simulator


@pytest.fixture(params=["v1", "v2"])
def api(request):
    """Each Management API in turn."""
    return request.param


@pytest.fixture
def client(simulator, api):
    """A client of each API that reads five a page."""
    with jwplatform(simulator, api, page_length=PAGE) as client:
        yield client


def swap(removed, uploaded):
    """One is removed and one uploaded between two pages: the totals stay, the rest moves up by one."""

    def edit(library):
        library.remove("video", removed)
        library.put("video", video(uploaded))

    return Fault.edit(edit)
