"""A sync writes only the changed rows and almost no WAL, and old snapshots do not accumulate."""

import pytest
from sqlalchemy import text

from jwp_pipeline.mirror.apply import apply_newest
from jwp_pipeline.mirror.landing import read_listing
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline.simulator import bulk_library
from jwp_pipeline_tests.support import jwplatform, rows, sync, touched

VIDEOS = 5000
LITTLE = 1_000_000
"""Bytes of WAL for temporary tables, the records of the sync, and pruned pages. The 5,000 videos would take 8 MB."""


@pytest.fixture
def client(simulator, engine):
    """A client of a site with 5,000 videos that are in the cache."""
    simulator.library.load("video", bulk_library(VIDEOS, channels=0).records("video"))
    with jwplatform(simulator) as client:
        sync(engine, client)
        yield client


def apply_and_measure(engine, client):
    """Apply, and return the report, the keys of the rows that were written or locked, and the bytes of WAL written."""
    before = touched(engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        start = connection.scalar(text("SELECT pg_current_wal_insert_lsn()"))
        applied = apply_newest(engine, "video", options=MirrorOptions(), client=client)
        wal = connection.scalar(text("SELECT pg_current_wal_insert_lsn() - CAST(:start AS pg_lsn)"), {"start": start})
    after = touched(engine)
    return applied, {key for (_, key), _ in after.items() - before.items()}, int(wal)


def test_an_unchanged_listing_writes_nothing(engine, client):
    changes = rows(engine, "SELECT count(*) FROM resource_changes")
    read_listing(engine, client, "video")
    applied, rows_touched, wal = apply_and_measure(engine, client)
    assert (applied.plan.unchanged, applied.plan.rows, applied.live) == (VIDEOS, 0, VIDEOS)
    assert rows_touched == set()
    assert rows(engine, "SELECT count(*) FROM resource_changes") == changes
    assert wal < LITTLE
    # If nothing new was read, there is nothing to compare.
    assert apply_newest(engine, "video", options=MirrorOptions(), client=None).plan is None


def test_a_large_write_leaves_the_table_as_autovacuum_would(engine, client):
    """Otherwise the next sync has no statistics to plan with, and writes whole pages of WAL to set hint bits."""
    (known,) = rows(
        engine,
        "SELECT reltuples, last_vacuum FROM pg_class JOIN pg_stat_user_tables AS stats ON stats.relid = pg_class.oid"
        " WHERE pg_class.oid = 'cached_resources'::regclass",
    )
    assert known.reltuples == VIDEOS
    assert known.last_vacuum is not None


def test_only_what_changed_is_written(engine, simulator, client):
    library = simulator.library
    edited, watched, removed = (library.keys("video")[n::500] for n in (0, 1, 2))
    for key in edited:
        library.edit("video", key, title="Edited")
    for key in watched:
        library.edit("video", key, views=1_000_000)
    library.remove("video", *removed)
    read_listing(engine, client, "video")
    applied, rows_touched, wal = apply_and_measure(engine, client)
    assert rows_touched == {*edited, *watched, *removed}
    assert (applied.plan.changed, applied.plan.refreshed, applied.plan.deleted) == (10, 10, 10)
    assert wal < LITTLE


def test_the_pages_of_old_snapshots_are_deleted(engine, client):
    for _ in range(4):
        sync(engine, client, snapshot_retention=2)
    kept = rows(engine, "SELECT DISTINCT snapshot_id FROM raw_pages ORDER BY 1")
    known = rows(engine, "SELECT id FROM raw_snapshots WHERE applied_at IS NOT NULL ORDER BY 1")
    assert len(known) == 5
    assert kept == known[-2:]
