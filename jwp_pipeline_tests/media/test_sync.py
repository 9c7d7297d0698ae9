"""A sync of the media side works for all or single assets, is atomic, runs one at a time, and streams."""

import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from operator import itemgetter
from threading import Thread

import psycopg
import pytest
from sqlalchemy import event, text

from jwp_pipeline.errors import DatabaseError, SyncInProgress
from jwp_pipeline.media import sync as sync_module
from jwp_pipeline.media.report import MEDIA_ASSETS
from jwp_pipeline.mirror.resources import set_resources
from jwp_pipeline_tests.media.sabotage import LOSES_THE_CONNECTION, RAISES, sabotaged, takes
from jwp_pipeline_tests.media.state import MEDIA_TABLES, read_state, written_by
from jwp_pipeline_tests.support import Site, channel, contents, rows, video

BEFORE = (
    [video("kept", 1), video("changed", 2), video("goes", 3)],
    [channel("stays", 1, media_ids=[1, 2, 3]), channel("goes", 2, media_ids=[2])],
)
AFTER = (
    [
        video("kept", 1),
        video("changed", 5, updated=2, title="New", acl="MARTIAN"),
        video("new", 4),
    ],
    [
        channel("stays", 1, media_ids=[4, 1]),
        channel("new", 3, media_ids=[1], custom={"sms_groupid": "x", "sms_instid": "instid:NEW:"}),
    ],
)
"""It makes a sync write to every table of the media side and to sync_problems."""


@pytest.fixture
def jwp(engine, simulator):
    """A site in step with the library BEFORE, whose cache already holds AFTER."""
    with Site(engine, simulator, create_items="sms") as jwp:
        jwp.library.replace_all(*BEFORE)
        jwp.sync()
        jwp.library.replace_all(*AFTER)
        jwp.fetch()
        yield jwp


def everything(engine):
    """Return all rows of the media side and of sync_problems."""
    return contents(engine, *MEDIA_TABLES, "sync_problems")


@pytest.mark.parametrize("asset", MEDIA_ASSETS)
def test_an_asset_alone_brings_itself_in_step(asset, jwp, engine):
    """docs/architecture.md: an asset works from stored data, whatever ran before it. A second run changes nothing."""
    report = jwp.follow(asset)
    assert list(report.counts) == [asset]
    live = rows(engine, f"SELECT {TELLING[asset]} FROM {asset} WHERE deleted_at IS NULL ORDER BY 1")
    assert [value for (value,) in live] == IN_STEP[asset]
    assert report.counts[asset].live == len(live)
    written = written_by(engine)
    assert not jwp.follow(asset).counts[asset].written
    assert written_by(engine) == written


TELLING = dict.fromkeys(MEDIA_ASSETS, "title") | dict.fromkeys(("videos", "channels"), "key")
IN_STEP = {
    "videos": ["changed", "kept", "new"],
    "media_items": ["New", "Video kept", "Video new"],
    "channels": ["new", "stays"],
    "media_channels": ["Channel new", "Channel stays"],
    "playlists": ["Channel new", "Channel stays"],
}


def test_assets_one_by_one_reach_the_same_state_as_all_together(jwp, engine):
    """docs/architecture.md: if they run in the order of their dependencies, nothing is left for another sync."""
    for asset in MEDIA_ASSETS:
        jwp.follow(asset)
    written, state = written_by(engine), read_state(engine)
    assert not any(counts.written for counts in jwp.follow().counts.values())
    assert (written_by(engine), read_state(engine)) == (written, state)
    assert state["media_items"]["new"]["channel"] == "stays"
    assert state["channels"]["stays"]["playlist"]["media_items"] == ["new", "kept"]


def test_the_report_counts_what_was_done(jwp, engine):
    """P8: it counts the rows of each table by what happened to them."""
    jwp.library.put("channel", channel("bare"))
    jwp.fetch("channel")
    report = jwp.follow()
    done = {
        asset: (counts.created, counts.updated, counts.restored, counts.deleted, counts.unchanged, counts.live)
        for asset, counts in report.counts.items()
    }
    assert done == {
        "videos": (1, 0, 0, 1, 2, 3),
        "media_items": (1, 1, 0, 1, 1, 3),
        "channels": (2, 1, 0, 1, 0, 3),
        "media_channels": (2, 0, 0, 1, 1, 3),
        "playlists": (1, 1, 0, 1, 0, 2),
    }
    assert report.open_problems == {"sms_acl": 1, "sms_groupid": 1, "items": 1}
    jwp.library.replace_all(*BEFORE)
    done = {asset: (c.created, c.restored, c.deleted) for asset, c in jwp.sync().counts.items()}
    assert done == dict.fromkeys(("videos", "media_items", "playlists"), (0, 1, 1)) | dict.fromkeys(
        ("channels", "media_channels"), (0, 1, 2)
    )


def test_a_sync_that_breaks_in_the_middle_writes_nothing(jwp, engine):
    """P2: this is so for every table that it may be writing, and the next sync converges."""
    before = everything(engine)
    for table in before:
        with sabotaged(engine, table, RAISES), pytest.raises(DatabaseError, match="sabotaged"):
            jwp.follow()
        assert everything(engine) == before, table
    jwp.follow()
    assert read_state(engine)["media_items"]["changed"]["title"] == "New"


@pytest.mark.parametrize(("what", "at_commit"), [(RAISES, True), (LOSES_THE_CONNECTION, False)])
def test_a_sync_that_breaks_at_commit_or_loses_the_server_writes_nothing(what, at_commit, jwp, engine):
    """P2: the lock is released as well, so the next sync can run."""
    before = everything(engine)
    with sabotaged(engine, "sms_collections", what, at_commit=at_commit), pytest.raises(DatabaseError):
        jwp.follow()
    assert everything(engine) == before
    jwp.follow()
    assert read_state(engine)["channels"]["new"]["sms_collection_id"] == 3


def test_a_reader_sees_the_state_before_or_after(jwp, engine):
    """P2, semantics §7: it never sees a state in between."""
    reader = engine.execution_options(isolation_level="REPEATABLE READ")
    before = read_state(reader)
    seen = []
    with sabotaged(engine, "playlists", takes(0.3)):
        syncing = Thread(target=jwp.follow)
        syncing.start()
        while syncing.is_alive():
            seen.append(read_state(reader))
        syncing.join()
    after = read_state(reader)
    assert before != after
    assert [state for state in seen if state not in (before, after)] == []
    assert seen.count(before) > 1


def test_a_second_sync_waits_for_the_first(jwp, engine):
    """P2, semantics §7: there is one writer, and a sync that waited finds nothing left to do."""
    with sabotaged(engine, "playlists", takes(0.3)), ThreadPoolExecutor(4) as pool:
        reports = [sync.result() for sync in [pool.submit(jwp.follow) for _ in range(4)]]
    did = [report for report in reports if any(counts.written for counts in report.counts.values())]
    assert len(did) == 1
    assert read_state(engine)["media_items"]["changed"]["title"] == "New"


def test_a_sync_that_waits_too_long_says_that_another_holds_the_lock(jwp, engine, monkeypatch):
    """Semantics §7: the other may also be a sync that writes the cache."""
    monkeypatch.setattr(sync_module, "_LOCK_PATIENCE", 0.2)
    before = everything(engine)
    with engine.begin() as connection:
        set_resources(connection, [], "video")
        with pytest.raises(SyncInProgress, match="nothing was done here"):
            jwp.follow()
        assert everything(engine) == before
        connection.rollback()
    jwp.follow()


def test_many_writers_never_deadlock(jwp, engine):
    """Semantics §7: syncs of all assets, of single assets and of the cache run at the same time."""

    def write(number):
        if number % 3 == 0:
            with engine.begin() as connection:
                set_resources(connection, [video("kept", 1, updated=number)], "video")
                set_resources(connection, [channel("stays", number, media_ids=[1])], "channel")
        elif number % 3 == 1:
            jwp.follow()
        else:
            jwp.follow(MEDIA_ASSETS[-number % 5])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(16)))
    jwp.follow()
    assert not any(counts.written for counts in jwp.follow().counts.values())


def test_a_sync_without_changes_writes_almost_no_wal(engine, simulator):
    """P3: this runs right after a checkpoint, when every page that is touched goes into the WAL as a whole."""
    with Site(engine, simulator, create_items="sms") as jwp:
        videos = [video(f"v{number:04}", number, acl="USER_a") for number in range(2000)]
        ids = [range(50 * number, 50 * number + 50) for number in range(40)]
        channels = [channel(f"c{number:02}", number, media_ids=ids[number]) for number in range(40)]
        with engine.begin() as connection:
            set_resources(connection, videos, "video")
            set_resources(connection, channels, "channel")
        jwp.follow()
        for sync_all in (False, True):
            # Others write to the server's WAL as well, so the smaller of two measurements counts.
            assert min(spent_by_no_op(jwp, engine, sync_all=sync_all) for _ in range(2)) < 600_000


def spent_by_no_op(jwp, engine, *, sync_all):
    """Return the bytes of WAL that a sync without changes writes."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CHECKPOINT"))
    written, before = written_by(engine), rows(engine, "SELECT pg_current_wal_insert_lsn()")[0][0]
    report = jwp.follow(sync_all=sync_all)
    [(spent,)] = rows(engine, "SELECT pg_current_wal_insert_lsn() - CAST(:before AS pg_lsn)", before=before)
    assert written_by(engine) == written
    assert report.looked_at == (2000 if sync_all else 0)
    assert report.counts["media_items"].unchanged == 2000
    return spent


def test_memory_does_not_grow_with_the_library(jwp, engine):
    """P6: 12 MB more of videos make no difference.

    Rows that psycopg holds are counted separately, because tracemalloc does not see them.
    """
    peaks = {}
    for count in (2000, 5000):
        with engine.begin() as connection:
            connection.execute(text("DELETE FROM cached_resources"))
            for resource_type, word, number in (("video", "media", count), ("channel", "collection", 1500)):
                connection.execute(
                    text(
                        "INSERT INTO cached_resources (type, key, data) SELECT :type, 'k' || number,"
                        " jsonb_build_object('key', 'k' || number, 'description', repeat('word ', 800), 'custom',"
                        " jsonb_build_object(CAST(:property AS text), CAST(:word AS text) || ':' || number || ':'))"
                        " FROM generate_series(1, :number) AS number"
                    ),
                    {"type": resource_type, "property": f"sms_{word}_id", "word": word, "number": number},
                )
        tracemalloc.start()
        with handed_over(engine) as counts:
            report = jwp.follow(sync_all=True)
        peaks[count] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (report.looked_at, report.counts["channels"].live) == (count, 1500)
        rows_at_once, query = max(counts, key=itemgetter(0))
        assert rows_at_once < 1000, query
    assert peaks[5000] < peaks[2000] + 2_000_000


@contextmanager
def handed_over(engine):
    """Collect (rows that the client got at once, query) of each query, except those of server-side cursors."""
    counts = []

    def count(_connection, cursor, statement, *_):
        if cursor.description and not isinstance(cursor, psycopg.ServerCursor):
            counts.append((cursor.rowcount, statement))

    event.listen(engine, "after_cursor_execute", count)
    yield counts
    event.remove(engine, "after_cursor_execute", count)


@pytest.mark.parametrize(
    ("instead", "reason"),
    [
        ("SELECT pg_terminate_backend(pg_backend_pid())", "terminating connection"),
        ("VACUUM no_such_table", "no_such_table"),
    ],
)
def test_a_vacuum_that_fails_does_not_fail_the_sync(instead, reason, jwp, engine, caplog):
    """P2: the changes are committed by then. If the vacuum fails or is not allowed, there is only a warning."""
    with engine.begin() as connection:
        set_resources(connection, [video(f"v{number}") for number in range(1000)], "video")

    def fail(_connection, _cursor, statement, parameters, *_):
        return instead if statement.startswith("VACUUM") else statement, parameters

    event.listen(engine, "before_cursor_execute", fail, retval=True)
    report = jwp.follow(create_items="all")
    event.remove(engine, "before_cursor_execute", fail)
    assert report.counts["media_items"].created == 1000
    assert len(rows(engine, "SELECT 1 FROM media_items WHERE deleted_at IS NULL")) == 1000
    (warning,) = caplog.messages
    assert reason in warning
    assert "media_items" in warning
