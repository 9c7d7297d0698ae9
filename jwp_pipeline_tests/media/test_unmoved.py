"""After a sync of everything, another one looks at nothing until somebody writes; whatever is written, it notices."""

import pytest
from sqlalchemy import event, text

from jwp_pipeline.media.checks import CHECKS, run_checks
from jwp_pipeline_tests.media.state import live_titles, read_state, written_by
from jwp_pipeline_tests.support import channel, contents, rows, video

TABLES = (
    "cached_resources", "videos", "media_items", "sms_media_items", "channels", "media_channels", "playlists",
    "sms_collections", "playlist_members",
)  # fmt: skip


@pytest.fixture
def jwp(jwp):
    """A site in step with a small library."""
    jwp.library.replace_all(
        [video("a", 1, acl="USER_a"), video("b", 2), video("rival", 2)], [channel("c", 1, media_ids=[1, 2])]
    )
    jwp.sync()
    return jwp


def scans(engine):
    """Return how often each of the tables was read, in any way, as the server counts it."""
    query = (
        "SELECT relname, coalesce(seq_scan, 0) + coalesce(idx_scan, 0) AS scans FROM pg_stat_user_tables"
        " WHERE relname = ANY(:tables) AND schemaname = current_schema()"
    )
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_stat_clear_snapshot()"))
        return dict(connection.execute(text(query), {"tables": list(TABLES)}).all())


def statements_of(engine, do):
    """Return the texts of the statements that `do` sends."""
    sent = []

    def note(connection, cursor, statement, *others):
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        do()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return sent


def check(engine, report):
    with engine.connect() as connection:
        return run_checks(connection, report, "sms")


def test_a_sync_after_which_nothing_was_written_reads_none_of_the_tables(jwp, engine):
    """P3: the number of live rows is still reported, and the checks still say what they know.

    Only which playlists to ask about their members is found out before, and there is nobody to ask.
    """
    jwp.client = None
    first = jwp.follow()
    found = check(engine, first)
    again = jwp.follow()
    engine.dispose()  # A session reports its counters at its end at the latest.
    before = scans(engine)
    report = jwp.follow()
    assert check(engine, report) == found
    engine.dispose()
    assert scans(engine) == before
    assert (report.looked, report.looked_at, report.followed_at) == (False, 0, again.followed_at)
    assert {asset: counts.live for asset, counts in report.counts.items()} == {
        asset: counts.live for asset, counts in first.counts.items()
    }
    assert report.open_problems == first.open_problems == {"sms_media_id": 1}
    assert found["content_reflected"].count == 0


def test_the_work_of_a_sync_without_news_does_not_depend_on_the_library(jwp, engine):
    few = statements_of(engine, jwp.follow)
    jwp.library.replace_all([video(f"v{number:03}", number) for number in range(200)], [channel("c", 1)])
    jwp.sync()
    assert statements_of(engine, jwp.follow) == few
    assert len(few) < 20


def test_the_statements_of_a_sync_do_not_depend_on_how_much_is_new(jwp, engine):
    """There is no query for each item. Tables that were empty are analysed, which is a statement for each table."""
    numbers = []
    for first, count in ((100, 5), (200, 300)):
        jwp.library.replace_all([video(f"v{place:03}", place) for place in range(first, first + count)], [])
        jwp.fetch()
        numbers.append(len(statements_of(engine, jwp.follow)))
    assert abs(numbers[0] - numbers[1]) < 10


WRITES = {
    "an application withdraws an item": "UPDATE media_items SET deleted_at = now() WHERE title = 'Video a'",
    "an application edits a channel": "UPDATE media_channels SET title = 'Ours'",
    "an application deletes a playlist": "UPDATE playlists SET deleted_at = now()",
    "an application deletes an SMS id": "DELETE FROM sms_media_items",
    "a resource disappears": "UPDATE cached_resources SET deleted_at = now() WHERE key = 'a'",
    "a resource changes": "UPDATE cached_resources SET updated_at = now() WHERE key = 'c'",
    "a resource is added": "INSERT INTO cached_resources (type, key, data) VALUES ('video', 'n', '{\"key\": \"n\"}')",
    "a resource is removed": "DELETE FROM cached_resources WHERE key = 'b'",
    "the links are lost": "TRUNCATE sms_collections",
    "a push moves a link": "UPDATE videos SET pushed_updated = 1, pushed_at = now()",
    "a link is reset": "UPDATE channels SET mapped_version = NULL",
    "members are read": "INSERT INTO playlist_members (key, member_keys) VALUES ('c', '{a}')",
    "a problem is resolved by hand": "UPDATE sync_problems SET resolved_at = now()",
}


@pytest.mark.parametrize("what", WRITES)
def test_whatever_is_written_is_looked_at(what, jwp, engine):
    assert not jwp.follow().looked
    with engine.begin() as connection:
        connection.execute(text(WRITES[what]))
    assert jwp.follow().looked
    state = read_state(engine)
    assert not jwp.follow().looked
    jwp.follow(sync_all=True)
    assert read_state(engine) == state


def test_what_is_written_during_a_sync_is_looked_at_by_the_next(jwp, engine):
    """An application began its edit before the sync, and commits it only afterwards."""
    with engine.begin() as application:
        application.execute(text("UPDATE media_channels SET title = 'Ours'"))
        assert not jwp.follow().looked
    assert jwp.follow().looked
    assert rows(engine, "SELECT title FROM media_channels") == [("Channel c",)]


def test_many_writes_of_a_transaction_leave_one_note(jwp, engine):
    with engine.begin() as connection:
        for title in ("One", "Two"):
            connection.execute(text("UPDATE media_items SET title = :title"), {"title": title})
        connection.execute(text("DELETE FROM sms_media_items"))
    assert rows(engine, "SELECT count(*) FROM unfollowed_writes") == [(1,)]
    jwp.follow()
    assert rows(engine, "SELECT count(*) FROM unfollowed_writes") == [(0,)]


def test_other_options_and_a_sync_of_all_items_look_at_everything(jwp):
    assert not jwp.follow().looked
    assert jwp.follow(default_acl="CAM").looked
    assert jwp.follow().looked
    assert jwp.follow(sync_all=True).looked


def test_a_single_asset_leaves_its_writes_to_a_sync_of_everything(jwp, engine):
    jwp.library.put("video", video("a", 1, updated=9, title="New"))
    jwp.fetch()
    jwp.follow("media_items")
    assert jwp.follow().looked
    assert live_titles(engine)["a"] == "New"


def test_a_video_that_waits_for_a_listing_is_looked_at_every_time(jwp, engine):
    """Semantics §8: the next listing that is as new as the push counts, even if nothing in it has changed."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE videos SET awaits_listing = true, pushed_updated = 9 WHERE key = 'a'"))
    assert jwp.follow().looked
    assert jwp.follow().looked


def test_checks_run_again_after_a_write_and_their_results_stand_until_then(jwp, engine):
    check(engine, jwp.follow(sync_all=True))
    with engine.begin() as connection:
        connection.execute(text("UPDATE videos SET needs_full_sync = true WHERE key = 'a'"))
    report = jwp.follow()
    assert check(engine, report)["content_reflected"].sample == ("a",)
    stored = contents(engine, "media_side")
    report = jwp.follow()
    assert report.known_violations == check(engine, report)
    assert report.known_violations.keys() == {check.name for check in CHECKS}
    assert report.known_violations["content_reflected"].sample == ("a",)
    assert contents(engine, "media_side") == stored


def test_a_problem_that_still_stands_is_seen_again(jwp, engine):
    """Semantics §6: it is touched while it lasts, although nobody looked."""
    before = rows(engine, "SELECT last_seen_at FROM sync_problems WHERE resolved_at IS NULL")
    written = written_by(engine)
    assert not jwp.follow().looked
    assert written_by(engine) == written
    assert rows(engine, "SELECT last_seen_at FROM sync_problems WHERE resolved_at IS NULL") > before


def test_what_a_sync_of_all_items_settled_is_not_reported_again(jwp, engine):
    """A tag was renamed and a rival gave up its SMS id without a newer stamp. Quiet syncs write nothing afterwards."""
    jwp.library.edit("video", "a", title="Renamed")
    jwp.library.put("video", video("rival", 3))
    report = jwp.sync()
    assert check(engine, report)["content_reflected"].sample == ("a", "rival")
    for sync_all in (True, False, True):
        report = jwp.sync(sync_all=sync_all)
        assert report.looked is sync_all
        assert check(engine, report)["content_reflected"].count == 0
        assert report.open_problems == {}
    stored = contents(engine, "media_side")
    check(engine, jwp.sync(sync_all=True))
    assert contents(engine, "media_side") == stored
