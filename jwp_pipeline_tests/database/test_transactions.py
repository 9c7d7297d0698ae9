"""A transaction that conflicts with another session's is repeated, and the run does not fail."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sqlalchemy import text

from jwp_pipeline import errors
from jwp_pipeline.database import transactions
from jwp_pipeline.database.connection import connect, open_engine
from jwp_pipeline.database.transactions import TRIES, in_transaction
from jwp_pipeline.mirror.resources import set_resources
from jwp_pipeline_tests.support import SCHEMA, follow, rows, video, wait_until


@pytest.mark.parametrize("state", ["40001", "40P01"])
def test_a_transaction_with_a_conflict_is_repeated(engine, state, monkeypatch):
    monkeypatch.setattr(transactions.time, "sleep", lambda seconds: None)
    tries = []

    def collide():
        tries.append(connection.in_transaction())
        connection.execute(text("CREATE TEMP TABLE tried () ON COMMIT DROP"))
        if len(tries) < TRIES:
            connection.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'collided' USING ERRCODE = '{state}'; END $$"))
        return len(tries)

    with connect(engine) as connection:
        assert in_transaction(connection, collide) == TRIES
        assert not connection.in_transaction()
    with pytest.raises(errors.DatabaseBlocked), connect(engine) as connection:
        in_transaction(connection, lambda: (tries.clear(), collide()))


def test_a_transaction_that_fails_for_another_reason_is_not_repeated(engine):
    tries = []
    with pytest.raises(errors.DatabaseError, match="22012"), connect(engine) as connection:
        in_transaction(connection, lambda: (tries.append(None), connection.execute(text("SELECT 1 / 0"))))
    assert len(tries) == 1


def test_a_sync_survives_a_deadlock_with_another_session(engine, tables_url):
    """The other session locks the video and then the item, and the sync the other way round. The sync gives way."""
    with engine.begin() as connection:
        set_resources(connection, [video("a", 7)], "video")
    follow(engine)
    with engine.begin() as connection:
        set_resources(connection, [video("a", 7, updated=2, title="New")], "video")
    # A session that has waited for its deadlock_timeout checks for a deadlock, and is rolled back if there is one.
    soon = open_engine(f"{tables_url}?options=-cdeadlock_timeout%3D500ms", SCHEMA)
    with psycopg.connect(tables_url) as somebody, ThreadPoolExecutor(1) as pool:
        somebody.execute(f"SET search_path TO {SCHEMA}; SET deadlock_timeout TO '20s'")
        somebody.execute("UPDATE videos SET updated = updated")
        syncing = pool.submit(follow, soon)
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
        wait_until(lambda: rows(engine, waiting) == [(1,)])
        somebody.execute("UPDATE media_items SET copyright = copyright")
        somebody.commit()
        syncing.result()
    assert rows(engine, "SELECT title FROM media_items") == [("New",)]
    soon.dispose()
