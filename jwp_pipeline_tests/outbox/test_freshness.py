"""What counts as older than the last push, and so leaves alone what was pushed (semantics §8.4)."""

from datetime import timedelta

import pytest

from jwp_pipeline.mirror.apply import apply_newest
from jwp_pipeline.mirror.looks import read_keys
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline_tests.outbox.site import EditedSite
from jwp_pipeline_tests.support import rows, video

KEY = "aB3dE5gH"


@pytest.fixture
def pushed(jwp):
    """A site that pushed a title and a public permission, and followed the listing after it."""
    jwp.library.replace_all([video(KEY, acl="USER_a", updated=1_700_000_000), video("other123", updated=1)], [])
    jwp.sync()
    jwp.edit(KEY, title="Ours", view_is_public=True)
    jwp.push()
    jwp.sync()
    return jwp


def shown(jwp):
    item = jwp.item(KEY)
    return item.title, item.view_is_public, item.view_crsids


def look_at(jwp, *keys):
    read_keys(jwp.engine, jwp.client, "video", keys, overlap=timedelta(hours=1), run_id="look")
    apply_newest(jwp.engine, "video", options=MirrorOptions(), client=jwp.client, run_id="look")


@pytest.mark.parametrize("seen", [True, False])
def test_a_push_from_before_an_absence_does_not_count(pushed, seen):
    """Even if no sync of the media side saw that the video was gone. What returned has an older stamp."""
    pushed.library.remove("video", KEY)
    pushed.fetch()
    if seen:
        pushed.follow()
    pushed.library.put("video", video(KEY, acl="USER_b", updated=1_700_000_001, title="Restored"))
    pushed.sync()
    assert shown(pushed) == ("Restored", False, ["b"])
    assert rows(pushed.engine, "SELECT updated FROM videos WHERE key = :key", key=KEY) == [(1_700_000_001,)]


def test_a_push_after_a_return_is_not_undone_by_the_listing_that_showed_it(pushed):
    pushed.library.remove("video", KEY)
    pushed.fetch()
    pushed.library.put("video", video(KEY, acl="USER_b", updated=1_700_000_001, title="Restored"))
    pushed.fetch()
    pushed.edit(KEY, title="Newer")
    pushed.push(jwp_conflict="ours")
    pushed.follow()
    assert shown(pushed)[0] == "Newer"
    pushed.sync()
    assert shown(pushed) == ("Newer", False, ["b"])


@pytest.mark.parametrize("updated", [None, "soon"])
def test_a_stamp_that_tells_nothing_counts_as_that_of_the_push(pushed, updated):
    """Semantics §6. Narrowing does not wait for it."""
    listed = pushed.at_jwp(KEY)
    narrower = {**listed, "updated": updated, "custom": {**listed["custom"], "sms_acl": "acl:USER_a:"}}
    pushed.library.override("video", KEY, narrower)
    pushed.sync()
    assert shown(pushed) == ("Ours", False, ["a"])


@pytest.mark.parametrize("sync_all", [False, True])
def test_a_broken_acl_that_was_read_after_the_push_grants_nothing_whatever_its_stamp(pushed, sync_all):
    listed = pushed.at_jwp(KEY)
    broken = {**listed, "updated": 1_700_000_000, "title": "Old", "custom": {**listed["custom"], "sms_acl": "WORLD"}}
    pushed.library.override("video", KEY, broken)
    pushed.sync(sync_all=sync_all)
    assert shown(pushed) == ("Ours", False, [])


def test_a_broken_acl_that_was_read_before_the_push_mended_it_changes_nothing(jwp):
    jwp.library.replace_all([video(KEY, custom={"sms_acl": "WORLD"}, updated=1_700_000_000)], [])
    jwp.sync()
    jwp.edit(KEY, view_crsids=["a"])
    jwp.push()
    for sync_all in (False, True):
        jwp.follow(sync_all=sync_all)
        assert shown(jwp)[1:] == (False, ["a"])
    jwp.sync()
    assert shown(jwp)[1:] == (False, ["a"])


@pytest.mark.parametrize(("looked_at", "title"), [("other123", "Second"), (KEY, "Theirs")])
def test_a_look_makes_only_what_it_showed_newer_than_a_push(engine, simulator, looked_at, title):
    """The cache holds what was listed between two pushes of one second, and so has the stamp of both."""
    with EditedSite(engine, simulator, "v2", create_items="all") as jwp:
        jwp.library.replace_all([video(KEY, acl="USER_a", updated=1_700_000_000), video("other123", updated=1)], [])
        jwp.sync()
        jwp.edit(KEY, title="First")
        jwp.push()
        jwp.fetch()
        stamp = jwp.at_jwp(KEY)["updated"]
        jwp.edit(KEY, title="Second")
        jwp.push()
        jwp.library.edit("video", KEY, title="Theirs", updated=stamp)
        jwp.execute(
            "UPDATE videos SET updated = :stamp, pushed_updated = :stamp WHERE key = :key", stamp=stamp, key=KEY
        )
        look_at(jwp, looked_at)
        jwp.follow()
        assert jwp.item(KEY).title == title
