"""An item that is made here gets exactly one video at JW Platform, whatever crashes when."""

from datetime import timedelta

import pytest
import requests
from sqlalchemy.orm import Session

from jwp_pipeline.errors import NoVideoYet, WriteUncertain
from jwp_pipeline.mirror.changes import read_changes
from jwp_pipeline.outbox import create_item, upload_endpoint
from jwp_pipeline.outbox.push import FAILURES
from jwp_pipeline.record import MediaItem, Person, attach_settings
from jwp_pipeline.simulator import Fault
from jwp_pipeline_tests.support import cache, rows, video


@pytest.fixture
def made(jwp):
    """The id of an item that an application has just made."""
    jwp.sync()
    return make(jwp)


def make(jwp, **fields):
    with Session(jwp.engine) as session:
        item = create_item(session, title="A new item", created_by=Person("abc"), **fields)
        session.commit()
        return item.id


def again(jwp):
    """Let everything that waits be due."""
    jwp.execute("UPDATE item_creations SET next_try_at = NULL, searched_at = searched_at - interval '1 hour'")
    return jwp.push()


def videos(jwp):
    return [jwp.at_jwp(key) for key in jwp.library.keys("video")]


def linked(jwp):
    return rows(jwp.engine, "SELECT key, media_item_id FROM videos WHERE deleted_at IS NULL")


def test_a_new_item_gets_a_video_that_syncs_keep(jwp, made):
    report = jwp.push()
    assert report.count("created") == 1
    (created,) = videos(jwp)
    assert created["title"] == "A new item"
    assert created["custom"]["sms_acl"] == "acl:USER_abc:"
    assert linked(jwp) == [(created["key"], made)]
    assert cache(jwp.engine)[created["key"]].pushed_at
    item = jwp.item(created["key"])
    for _ in range(2):
        jwp.sync(sync_all=True)
        assert jwp.item(created["key"]).view_crsids == item.view_crsids == ["abc"]
    assert cache(jwp.engine)[created["key"]].pushed_at is None
    assert len(rows(jwp.engine, "SELECT * FROM media_items")) == 1
    assert jwp.push().changes == ()


def test_a_plain_insert_counts_as_a_new_item(jwp):
    jwp.sync()
    jwp.execute(
        "INSERT INTO media_items (id, title, description, type, duration, published_at, language, copyright)"
        " VALUES ('plainInsert', 'Plain', '', 'unknown', 0, now(), '', '')"
    )
    jwp.push()
    assert [(row["title"], row["custom"]["sms_acl"]) for row in videos(jwp)] == [("Plain", "acl::")]


@pytest.mark.parametrize("fault", [Fault.lost_answer(), Fault.status(502, carried_out=True), Fault.status(502)])
@pytest.mark.parametrize("syncs", [False, True])
def test_a_lost_answer_creates_nothing_twice(jwp, made, fault, syncs):
    jwp.simulator.faults.add(fault, route="create", times=1)
    jwp.push()
    for _ in range(4):
        if syncs:
            jwp.sync()
        again(jwp)
    (created,) = videos(jwp)
    assert linked(jwp) == [(created["key"], made)]
    assert [row.state for row in rows(jwp.engine, "SELECT state FROM item_creations")] == ["created"]


def test_an_index_that_lags_behind_the_creation_delays_only_the_search(jwp, made):
    jwp.simulator.behaviour.index_lag_seconds = 3600
    jwp.simulator.faults.add(Fault.lost_answer(), route="create", times=1)
    jwp.push()
    report = jwp.push()
    assert report.changes == ()
    jwp.execute("UPDATE item_creations SET next_try_at = NULL")
    assert jwp.push().count("later") == 1
    assert len(videos(jwp)) == 1


@pytest.mark.parametrize("syncs", [False, True])
def test_an_edit_during_the_creation_is_pushed_after_it(jwp, made, syncs):
    """Also if a sync finds the video before the next push does."""
    jwp.simulator.faults.add(Fault.lost_answer(), route="create", times=1)
    jwp.push()
    jwp.execute("UPDATE media_items SET title = 'Edited since'")
    if syncs:
        jwp.sync()
    again(jwp)
    jwp.push()
    (created,) = videos(jwp)
    assert created["title"] == "Edited since"
    jwp.sync()
    assert jwp.item(created["key"]).title == "Edited since"


def test_a_file_reaches_jwp_through_the_link(jwp, made):
    with Session(attach_settings(jwp.engine, jwp.effective())) as session:
        item = session.get(MediaItem, made)
        with pytest.raises(NoVideoYet):
            upload_endpoint(session, item)
    jwp.push()
    with Session(jwp.engine) as session:
        item = session.get(MediaItem, made)
        first = upload_endpoint(session, item)
        assert upload_endpoint(session, item).url == first.url
        session.commit()
    assert send(first).ok
    jwp.execute("UPDATE upload_endpoints SET expires_at = now()")
    jwp.execute("TRUNCATE request_permits")
    with Session(jwp.engine) as session:
        second = upload_endpoint(session, session.get(MediaItem, made))
        session.commit()
    # An application's requests count for the limit of the site.
    assert rows(jwp.engine, "SELECT count(answered_at) FROM request_permits") == [(1,)]
    assert second.url != first.url
    assert send(second).ok
    jwp.execute("UPDATE videos SET deleted_at = now()")
    with Session(jwp.engine) as session, pytest.raises(NoVideoYet):
        upload_endpoint(session, session.get(MediaItem, made))


def send(link):
    if link.method == "POST":
        return requests.post(link.url, files={"file": b"bytes of a film"}, timeout=5)
    return requests.put(link.url, data=b"bytes of a film", timeout=5)


def test_jwp_fetches_the_file_of_an_item_with_a_source(jwp):
    jwp.sync()
    make(jwp, source_url="https://example.org/film.mp4")
    jwp.push()
    assert len(videos(jwp)) == 1
    assert rows(jwp.engine, "SELECT * FROM upload_endpoints") == []


def test_a_new_video_is_not_missing_while_the_index_lags(jwp, made):
    """It is neither asked about, nor counted by the guard, nor does a sync of changes read everything because of it."""
    jwp.library.put("video", video("other123"))
    jwp.simulator.behaviour.index_lag_seconds = 3600
    jwp.push()
    _, created = videos(jwp)
    for _ in range(2):
        jwp.sync()
        row = cache(jwp.engine)[created["key"]]
        assert (row.deleted_at, row.missing_since) == (None, None)
    listing = read_changes(jwp.engine, jwp.client, "video", overlap=timedelta(minutes=60))
    scope = rows(jwp.engine, "SELECT scope FROM raw_snapshots WHERE id = :id", id=listing.snapshot_id)
    assert scope == [("incremental",)]
    jwp.execute("UPDATE cached_resources SET pushed_at = now() - interval '2 hours'")
    jwp.sync()
    row = cache(jwp.engine)[created["key"]]
    assert (row.deleted_at, row.missing_since is None) == (None, False)


def test_a_new_video_that_jwp_deletes_before_a_listing_shows_it_is_deleted(jwp, made):
    jwp.push()
    (created,) = videos(jwp)
    jwp.library.put("video", video("other123"))
    jwp.library.remove("video", created["key"])
    jwp.execute("UPDATE cached_resources SET pushed_at = now() - interval '2 hours'")
    jwp.sync()
    assert cache(jwp.engine)[created["key"]].deleted_at


def test_a_creation_that_failed_at_first_is_no_problem_in_the_end(jwp, made):
    jwp.simulator.faults.add(Fault.lost_answer(), route="create", times=1)
    jwp.push()
    jwp.sync()
    again(jwp)
    assert rows(jwp.engine, "SELECT state, problem FROM item_creations") == [("created", None)]
    assert rows(jwp.engine, "SELECT * FROM sync_problems WHERE stage = 'push' AND resolved_at IS NULL") == []


def test_duplicates_that_are_found_are_a_problem(jwp, made):
    jwp.simulator.faults.add(Fault.lost_answer(), route="create", times=1)
    jwp.push()
    (first,) = videos(jwp)
    jwp.library.put("video", {**first, "key": "zzzzzzzz"})
    again(jwp)
    assert [row.key for row in linked(jwp)] == [first["key"]]
    (problem,) = rows(jwp.engine, "SELECT problem FROM sync_problems WHERE stage = 'push' AND resolved_at IS NULL")
    assert "zzzzzzzz" in problem.problem


def test_creations_end_when_jwp_is_down(jwp):
    jwp.sync()
    for _ in range(8):
        make(jwp)
    jwp.simulator.faults.add(Fault.lost_answer(), route="create", times=None)
    with pytest.raises(WriteUncertain):
        jwp.push()
    assert [request.route for request in jwp.simulator.requests].count("create") == FAILURES


def test_a_new_item_that_cannot_be_sent_waits_until_it_is_edited(jwp):
    jwp.sync()
    made = make(jwp, copyright="two\nlines")
    assert jwp.push().count("refused") == 1
    assert videos(jwp) == []
    jwp.execute("UPDATE media_items SET copyright = 'one line'")
    assert jwp.push().count("created") == 1
    assert [row.media_item_id for row in linked(jwp)] == [made]


def test_a_change_that_a_sync_brings_to_a_new_item_is_no_edit(jwp, made):
    """A sync links the first new item, and follows its video; then another one links the second."""
    jwp.simulator.faults.add(Fault.lost_answer(), route="create", times=2)
    jwp.push()
    (first,) = videos(jwp)
    jwp.sync()
    jwp.library.edit("video", first["key"], title="There", updated=first["updated"] + 10)
    jwp.sync()
    make(jwp)
    jwp.push()
    jwp.sync()
    assert len(linked(jwp)) == 2
    assert jwp.item(first["key"]).title == "There"
    assert rows(jwp.engine, "SELECT * FROM item_updates") == []
