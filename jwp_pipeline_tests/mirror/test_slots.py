"""Full listings have partitions of their own, which TRUNCATE empties unless somebody reads them."""

import subprocess
from contextlib import contextmanager

import pytest
from sqlalchemy import make_url, text

from jwp_pipeline.database.connection import open_engine
from jwp_pipeline.database.embedded.binaries import find_binaries
from jwp_pipeline_tests.support import (
    SCHEMA,
    jwplatform,
    live,
    rows,
    sync,
    sync_changes,
    videos,
    wait_until,
    waits_for_lock,
)

PARTITIONS = "SELECT relid::regclass::text AS name FROM pg_partition_tree('raw_pages') WHERE isleaf"
IN_SLOTS = "SELECT slot, count(DISTINCT snapshot_id) AS snapshots FROM raw_pages GROUP BY slot ORDER BY slot"


@pytest.fixture
def client(simulator):
    """A client of a site with 20 videos that reads five per page."""
    simulator.library.replace_all(videos(*range(20)), [])
    with jwplatform(simulator, page_length=5) as client:
        yield client


def slots_of_pages(engine):
    return {row.slot: row.snapshots for row in rows(engine, IN_SLOTS)}


def used(engine):
    """Return the partitions that take up space."""
    return {row.name for row in rows(engine, f"{PARTITIONS} AND pg_relation_size(relid) > 0")}


def kept(engine):
    return [row.snapshot_id for row in rows(engine, "SELECT DISTINCT snapshot_id FROM raw_pages ORDER BY 1")]


def applied(engine):
    return [row.id for row in rows(engine, "SELECT id FROM raw_snapshots WHERE applied_at IS NOT NULL ORDER BY 1")]


@contextmanager
def slow_dump(engine, tables_url):
    """Run pg_dump, which holds its locks on our tables during the block. It has to succeed afterwards."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # pg_dump locks tables in the order in which they were made.
        connection.execute(text("CREATE TABLE public.last_table ()"))
        try:
            with engine.connect() as blocker:
                blocker.execute(text("LOCK TABLE public.last_table IN ACCESS EXCLUSIVE MODE"))
                command = [find_binaries().folder / "pg_dump", "--dbname", tables_url, "--file", "/dev/null"]
                with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
                    wait_until(lambda: waits_for_lock(engine))
                    yield
                    assert process.poll() is None
                    blocker.rollback()
                    _, problem = process.communicate(timeout=60)
                assert process.returncode == 0, problem
        finally:
            connection.execute(text("DROP TABLE public.last_table"))


def test_old_listings_leave_nothing_behind(engine, client):
    for _ in range(25):
        sync(engine, client, snapshot_retention=2)
    assert kept(engine) == applied(engine)[-2:]
    assert list(slots_of_pages(engine).values()) == [1, 1]
    assert len(used(engine)) == 2


def test_small_reads_take_no_slots(engine, simulator, client):
    sync(engine, client)
    for number in range(20):
        simulator.library.edit("video", "v0001", title=f"Title {number}", updated=2_000_000_000 + number)
        listing, _ = sync_changes(engine, client)
        assert listing.scope == "incremental"
    assert slots_of_pages(engine) == {0: 3, 1: 1}


def test_a_dump_neither_waits_nor_stops_a_sync(engine, tables_url, client):
    """The pages that cannot be dropped meanwhile are dropped by the first sync after it."""
    sync(engine, client, snapshot_retention=1)
    with slow_dump(engine, tables_url):
        for _ in range(3):
            _, outcome = sync(engine, client, snapshot_retention=1)
            assert outcome.plan.unchanged == 20
        assert len(used(engine)) == 4
    sync(engine, client, snapshot_retention=1)
    assert kept(engine) == applied(engine)[-1:]
    assert len(used(engine)) == 1


def test_without_a_free_slot_listings_share_a_partition(engine, client):
    """This happens while a dump takes very long, or with a high JWP_SNAPSHOT_RETENTION."""
    partitions = len(rows(engine, PARTITIONS))
    for _ in range(partitions + 4):
        sync(engine, client, snapshot_retention=partitions + 2)
    assert kept(engine) == applied(engine)[-(partitions + 2) :]
    assert slots_of_pages(engine)[0] == 4
    for _ in range(2):
        sync(engine, client, snapshot_retention=1)
    assert kept(engine) == applied(engine)[-1:]


@pytest.fixture
def worker(engine, tables_url):
    """An engine for a role that may read and write all tables, but owns none."""
    with engine.begin() as connection:
        connection.execute(text("CREATE ROLE worker LOGIN PASSWORD 'worker'"))
        connection.execute(text(f"GRANT USAGE ON SCHEMA {SCHEMA} TO worker"))
        connection.execute(text(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {SCHEMA} TO worker"))
    url = make_url(tables_url).set(username="worker", password="worker").render_as_string(hide_password=False)
    worker = open_engine(url, SCHEMA)
    yield worker
    worker.dispose()
    with engine.begin() as connection:
        connection.execute(text("DROP OWNED BY worker"))
        connection.execute(text("DROP ROLE worker"))


@pytest.mark.parametrize("may_truncate", [True, False])
def test_a_role_that_does_not_own_the_tables_drops_old_pages(engine, client, worker, may_truncate):
    """It needs no more than the right to TRUNCATE. Without that, pages are deleted, and their space stays in use."""
    if may_truncate:
        with engine.begin() as connection:
            for row in connection.execute(text(PARTITIONS)).all():
                connection.execute(text(f"GRANT TRUNCATE ON {row.name} TO worker"))
    for _ in range(4):
        sync(worker, client, snapshot_retention=1)
    assert len(live(engine)) == 20
    assert kept(engine) == applied(engine)[-1:]
    assert (len(used(engine)) == 1) is may_truncate
