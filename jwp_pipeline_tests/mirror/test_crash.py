"""If it is killed or started twice, the mirror leaves nothing half done, has no deadlock, and is right after a sync."""

import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from jwp_pipeline.database.connection import WRITER_LOCK, advisory_lock, open_engine
from jwp_pipeline.errors import DatabaseError, SyncInProgress
from jwp_pipeline.mirror.apply import apply_newest
from jwp_pipeline.mirror.landing import read_listing
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline.mirror.resources import set_resources
from jwp_pipeline.simulator import Fault
from jwp_pipeline_tests.support import (
    channel,
    contents,
    jwplatform,
    live,
    python,
    rows,
    sync,
    video,
    videos,
    wait_until,
    waits_for_lock,
)

OTHER_PROCESS = """
import os
from jwp_pipeline.database.connection import open_engine
from jwp_pipeline.jwplatform.connect import connect
from jwp_pipeline.mirror.apply import apply_newest
from jwp_pipeline.mirror.landing import read_listing
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline.settings import load_settings
settings = load_settings(jwp_requests_per_minute=10_000)
engine, client = open_engine(os.environ["JWP_DATABASE_URL"], "jwp"), connect(settings)
"""
READ = OTHER_PROCESS + 'read_listing(engine, client, "video")'
APPLY = OTHER_PROCESS + 'apply_newest(engine, "video", options=MirrorOptions(), client=client)'


@pytest.fixture
def client(simulator):
    """A client of a site with 20 videos that reads five per page."""
    simulator.library.replace_all(videos(*range(20)), [])
    with jwplatform(simulator, page_length=5) as client:
        yield client


@pytest.fixture
def other(simulator, tables_url):
    """A function that starts another process on the same database and site."""
    # The server limits the page length, so that the other process reads short pages, too.
    simulator.behaviour.max_page_length = 5
    environment = {**simulator.environment("v1"), "JWP_DATABASE_URL": tables_url}
    return lambda code: python(code, **environment)


def last_snapshot(engine):
    found = rows(engine, "SELECT * FROM raw_snapshots ORDER BY id DESC LIMIT 1")
    return found[0] if found else None


def pages_of(engine, snapshot):
    return rows(engine, "SELECT page_number FROM raw_pages WHERE snapshot_id = :id", id=snapshot.id)


def everything(engine):
    return contents(engine, "cached_resources", "resource_changes", "sync_problems", "raw_snapshots")


def test_a_sync_that_is_killed_while_it_reads_has_no_effect(engine, simulator, client, other):
    sync(engine, client)
    simulator.library.remove("video", "v0000")
    simulator.faults.add(Fault.latency(60), route="list", nth=3)
    with other(READ) as process:
        wait_until(lambda: len(pages_of(engine, last_snapshot(engine))) == 2)
        process.kill()
        process.wait()
    killed = last_snapshot(engine)
    assert (killed.status, len(live(engine))) == ("running", 20)
    listing, applied = sync(engine, client)
    assert (listing.verified, applied.plan.deleted, len(live(engine))) == (True, 1, 19)
    [abandoned] = rows(engine, "SELECT * FROM raw_snapshots WHERE id = :id", id=killed.id)
    assert (abandoned.status, abandoned.problem) == ("failed", "the process that read it ended")
    assert pages_of(engine, killed) == []


@pytest.mark.parametrize("blocked_at", ["resource_changes", "raw_snapshots"])
def test_a_sync_that_is_killed_while_it_applies_has_no_effect(engine, simulator, client, other, blocked_at):
    """The lock of a table stops the other process at a certain step."""
    sync(engine, client)
    library = simulator.library
    library.remove("video", "v0000")
    library.put("video", video("v0020", title="\0"))
    library.edit("video", "v0001", title="Edited")
    read_listing(engine, client, "video")
    before = everything(engine)
    with engine.connect() as blocker, blocker.begin():
        blocker.execute(text(f"LOCK TABLE {blocked_at} IN SHARE MODE"))
        with other(APPLY) as process:
            wait_until(lambda: waits_for_lock(engine))
            process.kill()
            process.wait()
        # The server notices by itself that the process is dead, and releases its locks.
        wait_until(lambda: not waits_for_lock(engine))
    pending = last_snapshot(engine)
    assert (pending.status, pending.applied_at) == ("verified", None)
    assert everything(engine) == before
    applied = apply_newest(engine, "video", options=MirrorOptions(), client=client)
    assert (applied.plan.added, applied.plan.changed, applied.plan.deleted) == (1, 1, 1)
    assert live(engine) == set(library.keys("video"))


def test_a_sync_that_is_interrupted_while_it_reads_is_recorded_as_failed(engine, simulator, client, other):
    simulator.faults.add(Fault.latency(60), route="list", nth=3)
    with other(READ) as process:
        wait_until(lambda: last_snapshot(engine) and len(pages_of(engine, last_snapshot(engine))) == 2)
        process.send_signal(signal.SIGINT)
        process.wait(10)
    interrupted = last_snapshot(engine)
    assert (interrupted.status, interrupted.problem) == ("failed", "interrupted by KeyboardInterrupt")
    listing, _ = sync(engine, client)
    assert (listing.verified, len(live(engine))) == (True, 20)


def test_a_sync_that_loses_the_database_while_it_reads_has_no_effect(engine, simulator, client):
    sync(engine, client)
    simulator.library.remove("video", "v0000")

    def cut(library):
        with engine.begin() as connection:
            ours = "datname = current_database() AND pid <> pg_backend_pid()"
            connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {ours}"))

    simulator.faults.add(Fault.edit(cut), route="list", page=2)
    with pytest.raises((DBAPIError, DatabaseError)):
        read_listing(engine, client, "video")
    assert len(live(engine)) == 20
    listing, applied = sync(engine, client)
    assert (listing.verified, applied.plan.deleted, len(live(engine))) == (True, 1, 19)


@contextmanager
def held(engine, lock):
    with engine.connect() as connection, advisory_lock(connection, lock, patience=0):
        yield


def test_a_second_read_ends_saying_that_one_is_running(engine, simulator, client, other, monkeypatch):
    monkeypatch.setattr("jwp_pipeline.mirror.landing._LOCK_PATIENCE", 0.2)
    simulator.faults.add(Fault.latency(60), route="list", page=1, nth=1)
    with other(READ) as process:
        wait_until(lambda: last_snapshot(engine))
        with pytest.raises(SyncInProgress, match="videos' listing"):
            read_listing(engine, client, "video")
        # Nobody is reading the other type.
        assert read_listing(engine, client, "channel").verified
        process.kill()
    assert rows(engine, "SELECT count(*) FROM raw_snapshots WHERE status = 'running'") == [(1,)]


def test_a_second_apply_waits_and_then_gives_up(engine, client, monkeypatch):
    read_listing(engine, client, "video")
    with ThreadPoolExecutor(1) as threads:
        with held(engine, WRITER_LOCK):
            waiting = threads.submit(apply_newest, engine, "video", options=MirrorOptions(), client=client)
            with pytest.raises(TimeoutError):
                waiting.result(0.3)
            monkeypatch.setattr("jwp_pipeline.mirror.apply._LOCK_PATIENCE", 0.2)
            with pytest.raises(SyncInProgress, match="nothing was done"):
                apply_newest(engine, "channel", options=MirrorOptions(), client=client)
            assert live(engine) == set()
        assert waiting.result(10).plan.added == 20


def test_set_resources_waits_for_another_writer(engine):
    def set_one():
        with engine.begin() as connection:
            return set_resources(connection, [video("mine")], "video")

    with ThreadPoolExecutor(1) as threads:
        with held(engine, WRITER_LOCK):
            waiting = threads.submit(set_one)
            wait_until(lambda: waits_for_lock(engine))
            assert live(engine) == set()
        assert waiting.result(10).added == 1


def test_concurrent_syncs_and_imports_have_no_deadlock(engine, simulator, client, tables_url, monkeypatch):
    monkeypatch.setattr("jwp_pipeline.mirror.landing._LOCK_PATIENCE", 0.0)
    simulator.library.replace_all(videos(*range(20)), [channel(f"c{n}") for n in range(10)])
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    before = rows(engine, deadlocks)
    options = MirrorOptions(max_delete_ratio=1, snapshot_retention=1)

    def import_both(number, types):
        own = open_engine(tables_url, "jwp")
        for turn in range(8):
            with own.begin() as connection:
                for kind in types:
                    set_resources(connection, videos(*range(turn, turn + 10 + number)), kind, options=options)
        own.dispose()

    def sync_both(types):
        own, busy = open_engine(tables_url, "jwp"), 0
        with jwplatform(simulator) as client:
            for _ in range(8):
                for kind in types:
                    try:
                        read_listing(own, client, kind)
                    except SyncInProgress:
                        busy += 1
                    apply_newest(own, kind, options=options, client=client)
        own.dispose()

    with ThreadPoolExecutor(4) as threads:
        work = [
            threads.submit(import_both, 1, ["video", "channel"]),
            threads.submit(import_both, 2, ["channel", "video"]),
            threads.submit(sync_both, ["video", "channel"]),
            threads.submit(sync_both, ["channel", "video"]),
        ]
        for done in work:
            done.result(60)
    assert rows(engine, deadlocks) == before
    for kind in ("video", "channel"):
        sync(engine, client, kind, max_delete_ratio=1)
        assert live(engine, kind) == set(simulator.library.keys(kind))
