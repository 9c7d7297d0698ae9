"""Edits of the record reach JW Platform, and come back as they are here."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest

from jwp_pipeline.errors import MiddlemanAnswered, WritingNotAllowed
from jwp_pipeline.mirror.apply import apply_newest
from jwp_pipeline.mirror.landing import read_listing
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline.outbox import push as push_module
from jwp_pipeline.simulator import Fault
from jwp_pipeline_tests.support import rows, video

KEY = "aB3dE5gH"


def original(**fields):
    """A video of last year with properties of others, which no push may lose."""
    custom = {"sms_acl": "acl:USER_abc:", "sms_language": "language:eng:", "other": "stays"}
    return video(
        KEY, updated=1_700_000_000, custom=custom, tags="alpha,beta", description="Old", date=1_600_000_000, **fields
    )


def test_an_edit_reaches_jwp_and_comes_back_unchanged(jwp):
    jwp.library.replace_all([original()], [])
    jwp.sync()
    jwp.edit(
        KEY,
        title="New: title, of 2 | parts",
        description="",
        downloadable=True,
        language="deu",
        copyright="© a:b",
        tags=["One", " two ", ""],
        published_at=datetime(2024, 2, 3, 4, 5, 6, 700_000, tzinfo=UTC),
        view_is_signed_in=True,
        view_crsids=["abc", "x,y"],
        view_lookup_groups=["101"],
    )
    assert set(jwp.edits().values()) == {"waiting"}
    assert len(jwp.edits()) == 8
    report = jwp.push()
    assert (report.count("pushed"), report.after.waiting, report.after.conflicts) == (8, 0, 0)
    assert set(jwp.edits().values()) == {"pushed"}
    sent = jwp.at_jwp(KEY)
    assert (sent["title"], sent["description"], sent["date"]) == ("New: title, of 2 | parts", " ", 1_706_933_106)
    assert sent["tags"].replace(", ", ",") == "alpha,beta,sitedomain:media.example.org"
    custom = sent["custom"]
    assert custom["other"] == "stays"
    assert custom["sms_acl"] == "acl:CAM,USER_abc,GROUP_101:"
    assert custom["sms_keywords"] == "keywords:one|two:"
    assert (custom["sms_downloadable"], custom["sms_language"]) == ("downloadable:True:", "language:deu:")
    before = jwp.item(KEY)
    assert (before.tags, before.view_crsids) == (["one", "two"], ["abc"])
    for sync_all in (False, True, False):
        jwp.sync(sync_all=sync_all)
        assert jwp.item(KEY) == before
    assert rows(jwp.engine, "SELECT awaits_listing FROM videos")[0].awaits_listing is False
    assert jwp.push().changes == ()


def test_what_others_changed_at_jwp_is_kept_and_followed(jwp):
    jwp.library.replace_all([original()], [])
    jwp.sync()
    jwp.edit(KEY, title="Ours")
    jwp.library.edit("video", KEY, description="Theirs", updated=1_700_000_100)
    jwp.push()
    assert (jwp.at_jwp(KEY)["title"], jwp.at_jwp(KEY)["description"]) == ("Ours", "Theirs")
    jwp.sync()
    assert (jwp.item(KEY).title, jwp.item(KEY).description) == ("Ours", "Theirs")


def test_a_field_that_was_changed_on_both_sides_is_a_conflict(jwp):
    jwp.library.replace_all([original()], [])
    jwp.sync()
    jwp.edit(KEY, title="Ours", description="Ours too")
    jwp.library.edit("video", KEY, title="Theirs", updated=1_700_000_100)
    report = jwp.push()
    assert jwp.edits() == {"title": "conflict", "description": "pushed"}
    assert (jwp.at_jwp(KEY)["title"], jwp.at_jwp(KEY)["description"]) == ("Theirs", "Ours too")
    assert report.after.conflicts == 1
    jwp.sync(sync_all=True)
    assert jwp.item(KEY).title == "Ours"
    problem = rows(jwp.engine, "SELECT * FROM sync_problems WHERE stage = 'push' AND resolved_at IS NULL")
    assert [(row.key, row.field) for row in problem] == [(KEY, "title")]
    assert "'Ours'" in problem[0].problem
    assert "'Theirs'" in problem[0].problem


@pytest.mark.parametrize("policy", ["ask", "ours"])
def test_an_edit_that_was_taken_back_changes_nothing_there(jwp, policy):
    """In the end, the fields were changed only there."""
    jwp.library.replace_all([original()], [])
    jwp.sync()
    before = jwp.item(KEY)
    jwp.edit(KEY, title="Ours", view_is_public=True)
    jwp.edit(KEY, title=before.title, view_is_public=False)
    custom = {**jwp.at_jwp(KEY)["custom"], "sms_acl": "acl:USER_def:"}
    jwp.library.edit("video", KEY, title="Theirs", custom=custom, updated=1_700_000_100)
    assert jwp.push(jwp_conflict=policy).count("theirs") == 2
    assert (jwp.at_jwp(KEY)["title"], jwp.at_jwp(KEY)["custom"]["sms_acl"]) == ("Theirs", "acl:USER_def:")
    assert (jwp.item(KEY).title, jwp.item(KEY).view_crsids, jwp.edits()) == ("Theirs", ["def"], {})


def test_an_older_listing_does_not_undo_a_push(jwp):
    jwp.library.replace_all([original()], [])
    jwp.sync()
    jwp.edit(KEY, title="Ours")
    jwp.push()
    jwp.follow(sync_all=True)
    assert jwp.item(KEY).title == "Ours"


@pytest.mark.parametrize("sync_all", [False, True])
def test_a_listing_of_the_same_second_as_a_push_does_not_undo_it(jwp, sync_all):
    """It was read between two pushes, and has the stamp of both."""
    jwp.library.replace_all([original()], [])
    jwp.sync()
    jwp.edit(KEY, title="First")
    jwp.push()
    first = jwp.at_jwp(KEY)
    read_listing(jwp.engine, jwp.client, "video")
    jwp.edit(KEY, title="Second")
    jwp.push()
    jwp.library.edit("video", KEY, updated=first["updated"])
    jwp.execute("UPDATE videos SET updated = :stamp, pushed_updated = :stamp", stamp=first["updated"])
    apply_newest(jwp.engine, "video", options=MirrorOptions(), client=jwp.client)
    jwp.follow(sync_all=sync_all)
    assert jwp.item(KEY).title == "Second"
    jwp.sync(sync_all=sync_all)
    assert jwp.item(KEY).title == "Second"
    assert rows(jwp.engine, "SELECT awaits_listing FROM videos") == [(False,)]


def test_an_item_that_jwp_refuses_does_not_hold_up_the_others(jwp):
    others = [f"other{number:03}" for number in range(8)]
    jwp.library.replace_all([original(), *(video(key, updated=1) for key in others)], [])
    jwp.sync()
    jwp.simulator.faults.add(Fault.status(400), route="update", key=KEY, times=None)
    for key in (KEY, *others):
        jwp.edit(key, title=f"New {key}")
    report = jwp.push()
    assert (report.count("pushed"), report.count("refused")) == (8, 1)
    assert [jwp.at_jwp(key)["title"] for key in others] == [f"New {key}" for key in others]
    assert jwp.push().changes == ()
    jwp.sync(sync_all=True)
    assert jwp.item(KEY).title == f"New {KEY}"
    jwp.edit(KEY, copyright="somebody")
    jwp.simulator.faults.clear()
    assert jwp.push().count("pushed") == 2


def test_an_item_that_nobody_may_change_does_not_hold_up_the_others(jwp):
    """JW Platform's answer is the same as for a secret that may not write."""
    jwp.library.replace_all([original(), video("other123", updated=1)], [])
    jwp.sync()
    jwp.simulator.faults.add(Fault.status(403), route="update", key=KEY, times=None)
    jwp.edit(KEY, title="Ours")
    with pytest.raises(WritingNotAllowed):
        jwp.push()
    jwp.edit("other123", title="Ours as well")
    jwp.push()
    assert jwp.at_jwp("other123")["title"] == "Ours as well"
    assert jwp.edits() == {f"{KEY}.title": "refused", "other123.title": "pushed"}


@pytest.mark.parametrize(("first", "good", "last", "failing"), [(6, 3, 6, 1), (2, 1, 4, 0), (30, 1, 0, 3)])
def test_many_items_that_nobody_may_change_are_set_aside_and_hold_up_nobody(jwp, first, good, last, failing):
    """While it cannot be told whether the secret may write, a few pushes fail; each begins with other items."""
    bad = [f"bad{number:05}" for number in range(first + last)]
    others = [f"good{number:04}" for number in range(good)]
    jwp.library.replace_all([video(key, updated=1) for key in bad + others], [])
    jwp.sync()
    for key in bad:
        jwp.simulator.faults.add(Fault.status(403), route="update", key=key, times=None)
    for key in [*bad[:first], *others, *bad[first:]]:
        jwp.edit(key, title="New")
    for _ in range(failing):
        with suppress(WritingNotAllowed):
            jwp.push()
        jwp.edit(others[0], title=f"{jwp.item(others[0]).title}!")
    jwp.push()
    assert jwp.edits() == {f"{key}.title": "refused" if key in bad else "pushed" for key in (*bad, *others)}
    assert all(jwp.at_jwp(key)["title"] == jwp.item(key).title for key in others)
    assert jwp.push().changes == ()


@pytest.mark.parametrize("fault", [Fault.lost_answer(), Fault.status(503), Fault.status(503, carried_out=True)])
def test_an_uncertain_write_is_settled_by_looking_again(jwp, fault):
    jwp.library.replace_all([original()], [])
    jwp.sync()
    jwp.edit(KEY, title="Ours")
    jwp.simulator.faults.add(fault, route="update", times=1)
    assert jwp.push().count("later") == 1
    assert jwp.edits() == {"title": "waiting"}
    jwp.execute("UPDATE item_updates SET next_try_at = NULL")
    jwp.push()
    assert jwp.edits() == {"title": "pushed"}
    assert jwp.at_jwp(KEY)["title"] == "Ours"


def test_the_sync_itself_records_no_edit(jwp):
    jwp.library.replace_all([original(), video("other123")], [])
    jwp.sync()
    jwp.library.edit("video", KEY, title="Theirs", updated=1_700_000_100)
    jwp.library.remove("video", "other123")
    jwp.sync()
    jwp.sync(sync_all=True)
    assert jwp.edits() == {}
    assert rows(jwp.engine, "SELECT * FROM item_creations") == []


def test_a_push_that_ends_early_records_what_it_has_sent(jwp):
    keys = [f"item{number:04}" for number in range(40)]
    jwp.library.replace_all([video(key, updated=1) for key in keys], [])
    jwp.sync()
    jwp.execute("UPDATE media_items SET title = 'New'")
    jwp.simulator.faults.add(Fault.status(403), route="update", nth=6, times=None)
    with pytest.raises(WritingNotAllowed):
        jwp.push()
    arrived = {key for key in keys if jwp.at_jwp(key)["title"] == "New"}
    recorded = {row.key for row in rows(jwp.engine, STATES) if row.state == "pushed"}
    assert recorded == arrived
    assert 5 <= len(arrived) < len(keys)
    jwp.simulator.faults.clear()
    assert jwp.push().count("pushed") == len(keys) - len(arrived)


def test_a_proxy_that_refuses_is_no_fault_of_the_items(jwp):
    keys = [f"item{number:04}" for number in range(12)]
    jwp.library.replace_all([video(key, updated=1) for key in keys], [])
    jwp.sync()
    jwp.execute("UPDATE media_items SET title = 'New'")
    jwp.simulator.faults.add(Fault.status(404, "html"), route="update", times=None)
    with pytest.raises(MiddlemanAnswered):
        jwp.push()
    assert {row.state for row in rows(jwp.engine, STATES)} == {"waiting"}
    jwp.simulator.faults.clear()
    jwp.execute("UPDATE item_updates SET next_try_at = NULL")
    assert jwp.push().count("pushed") == len(keys)


def test_an_edit_does_not_wait_behind_a_bulk_edit_that_was_made_before(jwp, monkeypatch):
    monkeypatch.setattr(push_module, "_BATCH", 6)
    keys = [f"item{number:04}" for number in range(40)]
    jwp.library.replace_all([video(key, updated=1) for key in keys], [])
    jwp.sync()
    jwp.execute("UPDATE media_items SET title = 'In bulk'")
    jwp.edit(keys[20], title="Alone")
    jwp.simulator.forget_requests()
    assert jwp.push().count("pushed") == len(keys)
    updated = [number for number, request in enumerate(updates(jwp)) if keys[20] in f"{request.path} {request.params}"]
    assert updated[0] < 6
    assert jwp.at_jwp(keys[20])["title"] == "Alone"


def updates(jwp):
    return [request for request in jwp.simulator.requests if request.route == "update"]


STATES = "SELECT key, state FROM item_updates JOIN videos USING (media_item_id)"
