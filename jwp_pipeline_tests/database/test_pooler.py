"""A connection pooler in session mode works; a pooler in any other mode is refused with a clear error."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import psycopg
import pytest

from jwp_pipeline.database.connection import WRITER_LOCK, advisory_lock, connect, open_engine
from jwp_pipeline.database.migrate import migrate
from jwp_pipeline.errors import DatabaseError, UnsuitablePooler
from jwp_pipeline_tests.database.pooler import needs_pgbouncer, pooler
from jwp_pipeline_tests.support import SCHEMA, rows

pytestmark = needs_pgbouncer


def test_a_pooler_in_session_mode_works(database_url):
    with pooler(database_url, "session") as url:
        engine, other = open_engine(url, SCHEMA), open_engine(database_url, SCHEMA)
        assert migrate(engine, SCHEMA)
        assert rows(engine, "SELECT current_schema()") == [(SCHEMA,)]
        with connect(engine) as connection, advisory_lock(connection, WRITER_LOCK, patience=1):
            held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
            assert rows(other, held) == [(1,)]
        assert rows(other, held) == [(0,)]
        engine.dispose()
        other.dispose()


@pytest.mark.parametrize("server_round_robin", [0, 1])
def test_a_pooler_in_transaction_mode_is_refused(database_url, server_round_robin):
    with pooler(database_url, "transaction", server_round_robin=server_round_robin) as url:
        engine = open_engine(url, SCHEMA)
        with pytest.raises(UnsuitablePooler, match=r"transaction mode.*JWP_DATABASE_URL") as refused:
            migrate(engine, SCHEMA)
        assert "session mode" in str(refused.value)
        engine.dispose()


def test_a_busy_pooler_in_transaction_mode_is_refused_too(database_url):
    """Other clients take and return sessions all the time, so that we may get our own session back by chance."""
    stop = Event()

    def keep_busy(url):
        with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
            while not stop.is_set():
                connection.execute("SELECT 1")

    with pooler(database_url, "transaction") as url, ThreadPoolExecutor(3) as others:
        try:
            for _ in range(3):
                others.submit(keep_busy, url)
            for _ in range(20):
                engine = open_engine(url, SCHEMA)
                with pytest.raises(UnsuitablePooler), connect(engine):
                    pass
                engine.dispose()
        finally:
            stop.set()


def test_a_pooler_in_statement_mode_is_refused(database_url):
    with pooler(database_url, "statement") as url:
        engine = open_engine(url, SCHEMA)
        with pytest.raises(UnsuitablePooler, match="session mode"), connect(engine):
            pass
        engine.dispose()


def test_the_error_of_a_pooler_that_refuses_an_option_names_the_option(database_url):
    with pooler(database_url, "session") as url:
        engine = open_engine(f"{url}?options=-cwork_mem%3D8MB", SCHEMA)
        with pytest.raises(DatabaseError, match="unsupported startup parameter: options"), connect(engine):
            pass
        engine.dispose()
