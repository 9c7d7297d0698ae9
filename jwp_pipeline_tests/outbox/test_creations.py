"""An item that is made here gets exactly one video at JW Platform, whatever crashes when."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
import requests
from sqlalchemy.orm import Session

from jwp_pipeline.errors import NoVideoYet, WriteUncertain, WritingNotAllowed
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


@pytest.mark.parametrize("syncs", [False, True])
@pytest.mark.parametrize("adopted", ["first", "second"])
@pytest.mark.parametrize("stored", ["as a list", "as before"])
def test_an_edit_between_two_uncertain_calls_is_kept_whichever_made_the_video(jwp, made, syncs, adopted, stored):
    """A private item whose video has an older, public ACL stays private."""
    jwp.execute("UPDATE media_items SET view_is_public = true")
    first, second = Fault.lost_answer(), Fault.status(502)
    if adopted == "second":
        first, second = second, first
    jwp.simulator.faults.add(first, route="create", times=1)
    jwp.push()
    if stored == "as before":
        jwp.execute("UPDATE item_creations SET sent = sent -> 0")
    jwp.execute("UPDATE media_items SET view_is_public = false, title = 'Edited since'")
    with late_index(jwp):
        again(jwp)
        jwp.simulator.faults.add(second, route="create", times=1)
        assert again(jwp).count("later") == 1
    for _ in range(3):
        if syncs:
            jwp.sync()
        again(jwp)
    jwp.sync(sync_all=True)
    (created,) = videos(jwp)
    assert (created["title"], created["custom"]["sms_acl"]) == ("Edited since", "acl:USER_abc:")
    item = jwp.item(created["key"])
    assert (item.title, item.view_is_public) == ("Edited since", False)
    assert set(jwp.edits().values()) <= {"pushed"}


def test_a_refusal_does_not_make_an_earlier_uncertain_call_forgotten(jwp, made):
    jwp.simulator.faults.add(Fault.lost_answer(), route="create", times=1)
    jwp.push()
    with late_index(jwp):
        again(jwp)
        jwp.simulator.faults.add(Fault.status(400), route="create", times=1)
        assert again(jwp).count("refused") == 1
    jwp.execute("UPDATE media_items SET title = 'Edited since'")
    for _ in range(2):
        again(jwp)
    assert [created["title"] for created in videos(jwp)] == ["Edited since"]


@contextmanager
def late_index(jwp):
    """Let searches and listings not show the present videos, until the block ends."""
    jwp.library.hide("video", *jwp.library.keys("video"))
    yield
    jwp.library.unhide("video")


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


@pytest.mark.parametrize("field", [{"copyright": "two\nlines"}, {"language": "a\nb"}, {"tags": ["a|b", "c"]}])
@pytest.mark.parametrize("syncs", [False, True])
def test_a_field_that_cannot_be_sent_is_left_out_of_the_new_video(jwp, field, syncs):
    """Also if the answer is lost, and a sync finds the video."""
    jwp.sync()
    made = make(jwp, **field)
    if syncs:
        jwp.simulator.faults.add(Fault.lost_answer(), route="create", times=1)
        jwp.push()
        jwp.sync()
    report = again(jwp)
    assert (report.count("created"), report.count("refused")) == (1, 1)
    (created,) = videos(jwp)
    assert (created["title"], created["custom"]["sms_acl"]) == ("A new item", "acl:USER_abc:")
    (name,) = field
    for _ in range(2):
        jwp.sync(sync_all=True)
        assert jwp.edits() == {name: "refused"}
        assert getattr(jwp.item(created["key"]), name) == field[name]
    jwp.edit(created["key"], **{name: ["c"] if name == "tags" else "deu"})
    assert jwp.push().count("pushed") == 1
    assert [row.media_item_id for row in linked(jwp)] == [made]


@pytest.mark.parametrize(
    ("column", "flawed", "mended"),
    [("view_crsids", "'{{abc},{def}}'", "'{abc}'"), ("published_at", "'infinity'", "'2030-01-01'")],
)
def test_without_viewers_or_a_date_that_can_be_sent_there_is_no_video_yet(jwp, made, column, flawed, mended):
    """JW Platform would show the video to others, or publish it at once."""
    jwp.execute(f"UPDATE media_items SET {column} = {flawed}")
    assert jwp.push().count("refused") == 1
    assert videos(jwp) == []
    jwp.execute(f"UPDATE media_items SET {column} = {mended}")
    assert jwp.push().count("created") == 1
    assert [row.media_item_id for row in linked(jwp)] == [made]


@pytest.mark.parametrize("what", ["edit", "new item"])
def test_a_new_item_that_nobody_may_create_does_not_hold_up_the_others(jwp, made, what):
    """JW Platform's answer is the same as for a secret that may not write."""
    jwp.library.put("video", video("other123"))
    jwp.sync()
    jwp.simulator.faults.add(Fault.status(403), route="create", times=1)
    if what == "edit":
        jwp.edit("other123", title="Edited")
    else:
        make(jwp)
    report = jwp.push()
    assert (report.count("pushed", "created"), report.count("refused")) == (1, 1)
    assert rows(jwp.engine, "SELECT state FROM item_creations WHERE media_item_id = :id", id=made) == [("refused",)]
    assert jwp.push().changes == ()


def test_new_items_wait_for_a_secret_that_may_write(jwp, made):
    jwp.simulator.faults.add(Fault.status(403), route="create", times=None)
    with pytest.raises(WritingNotAllowed):
        jwp.push()
    (waiting,) = rows(jwp.engine, "SELECT state, problem, next_try_at FROM item_creations")
    assert (waiting.state, waiting.next_try_at is None) == ("waiting", False)
    assert "may not write" in waiting.problem
    jwp.simulator.faults.clear()
    assert again(jwp).count("created") == 1


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
