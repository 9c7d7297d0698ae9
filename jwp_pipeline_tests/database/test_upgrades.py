"""Upgrades keep all data, whatever version they begin with, and processes of the old version never write half.

pytest-alembic would run the migrations by itself. These tests run them through `migrate`, as every command does: in one
transaction, behind the locks, with the comments of the columns. There are no downgrades to test.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Event

import psycopg
import pytest

from jwp_pipeline.database.connection import WRITER_LOCK, connect, open_engine, transaction_lock
from jwp_pipeline.database.migrate import migrate
from jwp_pipeline.database.transactions import in_transaction
from jwp_pipeline.errors import MigrationError
from jwp_pipeline.mirror.apply import apply_newest
from jwp_pipeline.mirror.landing import read_listing
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline.mirror.resources import set_resources
from jwp_pipeline_tests.database.old_versions import LISTED, REVISIONS, live_through, newer_version
from jwp_pipeline_tests.database.test_migrations import definitions
from jwp_pipeline_tests.outbox.site import EditedSite
from jwp_pipeline_tests.support import SCHEMA, contents, rows, sync, video, wait_until, waits_for_lock

# What a migration says that it drops or writes in another form.
DROPPED = {
    ("channels", "looked_at"), ("channels", "media_ids"), ("channels", "member_keys"), ("channels", "members_at"),
    ("raw_pages", "body"), ("raw_snapshots", "slot"), ("raw_snapshots", "spared_keys"), ("videos", "looked_at"),
    ("videos", "returned"), ("videos", "waits"), ("videos", "had_acl"), ("videos", "item_deleted_at"),
}  # fmt: skip
TABLES = """
SELECT relname FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
    AND relname <> 'alembic_version'
"""


@pytest.fixture
def engine(database_url):
    engine = open_engine(database_url, SCHEMA)
    yield engine
    engine.dispose()


def everything(engine):
    """Return table → its rows, as dictionaries."""
    return {
        table: [
            row.data for row in rows(engine, f"SELECT to_jsonb(t) AS data FROM {table} AS t ORDER BY to_jsonb(t)::text")
        ]
        for (table,) in rows(engine, TABLES)
    }


def kept(before, after):
    """Return whether each row of `before` is one of `after`, but for columns that it does not have any more."""
    return {
        table: [
            row
            for row in old
            if not any(
                all(new.get(name, value) == value for name, value in row.items() if (table, name) not in DROPPED)
                for new in after[table]
            )
        ]
        for table, old in before.items()
    }


@pytest.mark.parametrize(
    "revision",
    [pytest.param(each, marks=[] if each in ("0001", "0009") else pytest.mark.slow) for each in REVISIONS[:-1]],
)
def test_data_of_every_earlier_version_come_through_and_the_next_sync_changes_nothing(
    engine, simulator, revision, fresh
):
    """No value is lost, the tables are those of a new schema, and edits that wait still reach JW Platform."""
    live_through(engine, revision)
    before = everything(engine)
    assert migrate(engine, SCHEMA)
    after = everything(engine)
    assert kept(before, after) == {table: [] for table in before}
    assert {table: len(found) for table, found in after.items() if table in before} == {
        table: len(found) for table, found in before.items()
    }
    assert definitions(engine) == fresh
    simulator.library.replace_all(LISTED["video"], LISTED["channel"])
    with EditedSite(engine, simulator, "v1", create_items="all") as site:
        for kind, count in (("video", 3), ("channel", 1)):
            _, applied = sync(engine, site.client, kind, confirm_requests=10)
            assert (applied.plan.rows, applied.plan.unchanged) == (0, count), applied.plan
        site.follow()
        if revision >= "0002":
            ids = {row.key: row.media_item_id for row in rows(engine, "SELECT key, media_item_id FROM videos")}
            assert ids["v0000001"] == "-item000001"
            assert ids["v0000002"] == "_item000002"
        waiting = {"title": "waiting"} if revision >= "0008" else {}
        assert site.edits() == waiting
        if waiting:
            assert rows(engine, "SELECT title FROM media_items WHERE id = '_item000002'") == [("Edited here",)]
            site.push()
            assert site.at_jwp("v0000002")["title"] == "Edited here"


@pytest.fixture(scope="module")
def fresh(tables_url):
    """The definitions of a schema that this version has made."""
    engine = open_engine(tables_url, SCHEMA)
    found = definitions(engine)
    engine.dispose()
    return found


@pytest.fixture
def upgraded_meanwhile(engine, simulator):
    """A site with a listing that is read and not applied, when a newer version migrates the schema."""
    migrate(engine, SCHEMA)
    simulator.library.replace_all(LISTED["video"], [])
    with EditedSite(engine, simulator, "v1", create_items="all") as site:
        site.sync()
        simulator.library.edit("video", "v0000001", title="New", updated=100)
        site.edit("v0000002", title="Edited here")
        read_listing(engine, site.client, "video")
        site.execute("UPDATE alembic_version SET version_num = '9999'")
        yield site


NEWER = pytest.raises(MigrationError, match=r"brought the tables from migration \d{4} to 9999 while this process")
WRITTEN_BY_RUNS = ("cached_resources", "resource_changes", "media_items", "videos", "sync_problems", "item_updates")


def test_a_process_of_the_old_version_writes_nothing_after_an_upgrade(upgraded_meanwhile):
    """Whatever it was about to do, it ends with one message."""
    site = upgraded_meanwhile
    before = contents(site.engine, *WRITTEN_BY_RUNS)
    with NEWER:
        apply_newest(site.engine, "video", options=MirrorOptions(), client=site.client)
    with NEWER:
        site.follow(sync_all=True)
    with NEWER:
        site.push()
    with NEWER:
        read_listing(site.engine, site.client, "video")
    with NEWER, site.engine.begin() as connection:
        set_resources(connection, [video("other")], "video")
    assert contents(site.engine, *WRITTEN_BY_RUNS) == before
    assert site.at_jwp("v0000002")["title"] == "Was edited"
    assert rows(site.engine, "SELECT status FROM raw_snapshots ORDER BY id DESC LIMIT 1") == [("failed",)]


def test_an_upgrade_waits_for_whoever_writes_and_later_writers_wait_for_it(engine, database_url, tmp_path):
    """So a transaction belongs to one version from its beginning to its end, even if the two meet."""
    migrate(engine, SCHEMA)
    working, may_commit, called = Event(), Event(), []

    def write():
        with connect(engine) as connection:
            in_transaction(connection, lambda: (working.set(), may_commit.wait(60)))

    def write_later():
        with connect(engine) as connection:
            in_transaction(connection, lambda: called.append("too late"))

    with ExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(2))
        middle = stack.enter_context(psycopg.connect(database_url))
        middle.execute("SELECT pg_advisory_xact_lock(9999)")
        first = threads.submit(write)
        assert working.wait(30)
        newer = stack.enter_context(newer_version(database_url, tmp_path))
        wait_until(lambda: waits_for_lock(engine))
        assert not rows(engine, "SELECT FROM pg_attribute WHERE attname = 'new_in_9999'")
        may_commit.set()
        first.result(30)
        locked = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 9999 AND NOT granted"
        wait_until(lambda: rows(engine, locked))
        second = threads.submit(write_later)
        wait_until(lambda: len(rows(engine, "SELECT FROM pg_locks WHERE NOT granted")) == 2)
        middle.rollback()
        with NEWER:
            second.result(30)
        assert newer.communicate(timeout=30)[0] == "True\n"
    assert called == []
    assert rows(engine, "SELECT new_in_9999 FROM media_items") == []


def test_an_upgrade_that_meets_a_deadlock_begins_again(engine, database_url, tmp_path):
    """A push that makes a video takes the writers' lock last, which the upgrade holds first."""
    migrate(engine, SCHEMA)
    working, may_go_on, tries = Event(), Event(), []

    def push():
        def link():
            tries.append(1)
            working.set()
            may_go_on.wait(60)
            transaction_lock(connection, WRITER_LOCK)

        with connect(engine) as connection:
            in_transaction(connection, link)

    with ThreadPoolExecutor(1) as threads:
        pushing = threads.submit(push)
        assert working.wait(30)
        with newer_version(database_url, tmp_path) as newer:
            wait_until(lambda: waits_for_lock(engine))
            may_go_on.set()
            assert newer.communicate(timeout=60)[0] == "True\n"
        if len(tries) == 1:
            pushing.result(30)
        else:
            # The server has chosen the push to begin again, and it has found the newer tables.
            with NEWER:
                pushing.result(30)
