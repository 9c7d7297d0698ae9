"""A database that cannot be used raises a DatabaseError that says which one and why, without its password."""

import gc
import traceback

import psycopg
import pytest

from jwp_pipeline.database.connection import connect, open_engine
from jwp_pipeline.errors import DatabaseError
from jwp_pipeline_tests.support import SCHEMA


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://user:hidden@127.0.0.1:9/db", "Connection refused"),
        ("postgresql://user:hidden@127.0.0.1:9/db?sslmode=strange", "sslmode"),
        ("postgresql://user:hidden@127.0.0.1:9,[::1]:9/db", "127.0.0.1:9,\\[::1]:9/db"),
        ("host=127.0.0.1 port=9 user=user password=hidden", "user@127.0.0.1:9/"),
        ("postgresql://user:hidden@127.0.0.1:9/db?sslmod=require", "sslmod"),
        ("postgresql://user:hidden@127.0.0.1:9/db?port=one", "port"),
        ("postgresql:///?service=missing&password=hidden", "missing"),
        ("postgresql://user:hidden@a..b/db", "idna"),
        ("postgresql://user:hidden@host:port/db", "no number from 1 to 65535"),
        ("postgresql://user:p4@hidden@127.0.0.1:9/db", "percent-encode"),
    ],
)
def test_the_error_for_an_unusable_database_does_not_show_the_password(url, said):
    with pytest.raises(DatabaseError, match=said) as raised, connect(open_engine(url, SCHEMA)):
        pass
    assert "JWP_DATABASE_URL" in str(raised.value)
    assert "hidden" not in "".join(traceback.format_exception(raised.value))


def test_an_error_while_a_connection_is_prepared_is_a_database_error(postgres_url):
    with pytest.raises(DatabaseError, match="SQLSTATE 22023"), connect(open_engine(postgres_url, 'a"b')):
        pass


@pytest.mark.filterwarnings("error")
def test_a_server_that_is_too_old_is_refused(postgres_url, monkeypatch):
    monkeypatch.setattr(psycopg.ConnectionInfo, "server_version", property(lambda info: 140_011))
    engine = open_engine(postgres_url, SCHEMA)
    with pytest.raises(DatabaseError, match=r"PostgreSQL 14\.11.*15 or newer"), connect(engine):
        pass
    gc.collect()
