"""A real PostgreSQL for the tests: our embedded one, or another that JWP_TEST_DATABASE_URL names."""

import os
import secrets
from urllib.parse import urlsplit

import psycopg
import pytest

from jwp_pipeline.database.embedded import ensure_running, release


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory):
    """URL of a server on which databases may be created."""
    if url := os.environ.get("JWP_TEST_DATABASE_URL"):
        yield url
        return
    home = tmp_path_factory.mktemp("postgres")
    yield ensure_running(home, durable=False)
    release(home)


@pytest.fixture
def database_url(postgres_url):
    """URL of a fresh, empty database, gone after the test."""
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        yield urlsplit(postgres_url)._replace(path=f"/{name}").geturl()
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")
