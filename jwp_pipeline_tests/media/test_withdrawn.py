"""Rows that are withdrawn here stay so, whatever JW Platform lists, until they are undeleted here (semantics §2.4)."""

import pytest
from sqlalchemy import text

from jwp_pipeline.database.status import read_status
from jwp_pipeline.media.checks import CHECKS, run_check
from jwp_pipeline_tests.media.state import open_problems, read_rows, read_state, written_by
from jwp_pipeline_tests.support import Site, channel, video


@pytest.fixture
def jwp(engine, simulator):
    """A site in step, with two items in a channel and its playlist."""
    with Site(engine, simulator) as jwp:
        jwp.library.replace_all([video("a", 1, updated=5), video("b", 2)], [channel("c", 1, media_ids=[1, 2])])
        jwp.sync()
        yield jwp


def write(engine, statement):
    with engine.begin() as connection:
        assert connection.execute(text(statement)).rowcount == 1


def assert_all_is_well(engine):
    """Assert that nothing that was withdrawn counts as a violation, as a problem or as behind."""
    with engine.connect() as connection:
        assert {check.name for check in CHECKS if run_check(connection, check, "all").count} == set()
        assert [status.behind for status in read_status(connection)] == [0, 0]
    assert open_problems(engine) == {}


def deleted(engine):
    return sorted(name for name, row in read_rows(engine).items() if row.deleted_at)


def everything_comes(jwp, engine):
    """Yield the report of each kind of sync: nothing new, newer content, all items, older content after an absence."""
    yield jwp.sync()
    jwp.library.put("video", video("a", 1, updated=9, title="New title"))
    jwp.library.put("channel", channel("c", 1, media_ids=[1, 2], title="New title"))
    yield jwp.sync()
    yield jwp.sync(sync_all=True)
    videos, channels = [video("a", 1, updated=4), video("b", 2)], [channel("c", 1, media_ids=[1, 2])]
    jwp.library.replace_all([], [])
    jwp.sync()
    jwp.library.replace_all(videos, channels)
    yield jwp.sync()


def test_an_item_that_is_withdrawn_here_stays_withdrawn(jwp, engine):
    ids = {name: row.id for name, row in read_rows(engine).items()}
    write(engine, "UPDATE media_items SET deleted_at = clock_timestamp() WHERE title = 'Video a'")
    for report in everything_comes(jwp, engine):
        assert deleted(engine) == [("media_items", "a")]
        state = read_state(engine)
        assert (state["media_items"]["a"], state["channels"]["c"]["playlist"]["media_items"]) == (
            {"deleted": True},
            ["b"],
        )
        assert report.counts["media_items"].unchanged >= 0
        assert_all_is_well(engine)
        written = written_by(engine)
        jwp.sync()
        assert written_by(engine) == written
    jwp.library.put("video", video("a", 1, updated=10, title="While it was withdrawn", acl="USER_x"))
    jwp.sync()
    write(engine, "UPDATE media_items SET deleted_at = NULL WHERE deleted_at IS NOT NULL")
    jwp.sync()
    item = read_state(engine)["media_items"]["a"]
    assert (item["title"], item["sms_media_id"], item["view"]["crsids"]) == ("While it was withdrawn", 1, ["x"])
    assert (deleted(engine), {name: row.id for name, row in read_rows(engine).items()}) == ([], ids)
    assert_all_is_well(engine)


def test_an_item_that_is_withdrawn_while_its_video_is_gone_stays_withdrawn(jwp, engine):
    jwp.library.remove("video", "a")
    jwp.sync()
    write(engine, "UPDATE media_items SET deleted_at = clock_timestamp() WHERE title = 'Video a'")
    jwp.library.put("video", video("a", 1, updated=9))
    jwp.sync()
    assert deleted(engine) == [("media_items", "a")]
    assert_all_is_well(engine)


def test_a_media_channel_that_is_withdrawn_here_stays_withdrawn(jwp, engine):
    """Until it is undeleted, its items belong to no channel, and its playlist and SMS collection are gone as well."""
    before = read_state(engine)["channels"]
    write(engine, "UPDATE media_channels SET deleted_at = clock_timestamp()")
    for _ in everything_comes(jwp, engine):
        assert deleted(engine) == [("media_channels", "c"), ("playlists", "c")]
        state = read_state(engine)
        assert (state["channels"], state["media_items"]["a"]["channel"]) == ({"c": {"deleted": True}}, None)
        assert_all_is_well(engine)
        written = written_by(engine)
        jwp.sync()
        assert written_by(engine) == written
    write(engine, "UPDATE media_channels SET deleted_at = NULL")
    jwp.sync()
    assert (deleted(engine), read_state(engine)["channels"]) == ([], before)
    assert_all_is_well(engine)


def test_a_playlist_that_is_withdrawn_here_stays_withdrawn(jwp, engine):
    before = read_state(engine)["channels"]
    write(engine, "UPDATE playlists SET deleted_at = clock_timestamp()")
    for _ in everything_comes(jwp, engine):
        assert deleted(engine) == [("playlists", "c")]
        assert read_state(engine)["channels"]["c"]["items"] == ["a", "b"]
        assert_all_is_well(engine)
        written = written_by(engine)
        jwp.sync()
        assert written_by(engine) == written
    write(engine, "UPDATE playlists SET deleted_at = NULL")
    jwp.sync()
    assert (deleted(engine), read_state(engine)["channels"]) == ([], before)
