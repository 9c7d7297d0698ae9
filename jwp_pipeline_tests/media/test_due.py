"""An item is synchronised if its stamp is newer, after any absence, and at once if its ACL cannot be read."""

import pytest
from sqlalchemy import text

from jwp_pipeline_tests.media.state import live_titles, read_rows, read_state, written_by
from jwp_pipeline_tests.media.values import NOBODY
from jwp_pipeline_tests.support import video


def test_an_edit_of_ours_lasts_until_jwp_has_a_newer_one(jwp, engine):
    """Semantics §2: if `updated` is not newer, the item stays as it is, whatever else changed.

    This is so if edits do not go back. Otherwise they last until JW Platform has them.
    """
    jwp.settings["jwp_sync_items"] = False
    jwp.library.replace_all([video("a", 1, updated=5)], [])
    jwp.sync()
    with engine.begin() as connection:
        connection.execute(text("UPDATE media_items SET title = 'Ours', view_is_public = false"))
    for fields in ({}, {"views": 7}, {"title": "Theirs"}, {"title": "Theirs", "updated": 4}):
        jwp.library.put("video", video("a", 1, **{"updated": 5, **fields}))
        jwp.sync()
        assert live_titles(engine) == {"a": "Ours"}
        assert not read_state(engine)["media_items"]["a"]["view"]["is_public"]
    jwp.library.put("video", video("a", 1, updated=6, title="Theirs"))
    jwp.sync()
    assert live_titles(engine) == {"a": "Theirs"}


def test_a_video_that_returns_starts_again_from_its_listed_stamp(jwp, engine):
    """Semantics §2: this is so even if the stamp is older. The same item is restored, with the text as it is now."""
    jwp.library.replace_all([video("a", 1, updated=5), video("no-item", updated=5)], [])
    jwp.sync()
    ids = {name: row.id for name, row in read_rows(engine).items()}
    jwp.library.replace_all([], [])
    jwp.sync()
    assert (live_titles(engine), read_state(engine)["videos"]) == ({}, {})
    jwp.library.replace_all([video("a", 1, updated=3, title="Older"), video("no-item", updated=3)], [])
    jwp.sync()
    assert (live_titles(engine), read_state(engine)["videos"]) == ({"a": "Older"}, {"a": 3, "no-item": 3})
    assert {name: row.id for name, row in read_rows(engine).items()} == ids


@pytest.mark.parametrize("seen", [(), ("videos",), ("media_items",), ("videos", "playlists"), ("channels",)])
@pytest.mark.parametrize("back", [(), ("videos",), ("videos", "videos", "channels"), ("media_items",)])
def test_an_absence_counts_no_matter_which_asset_saw_it(seen, back, jwp, engine):
    """Semantics §2, P5: even if no asset saw it. A wider permission from before the absence does not stay."""
    jwp.library.replace_all([video("a", 1, updated=5, acl="WORLD"), video("no-item", updated=5)], [])
    jwp.sync()
    ids = {name: row.id for name, row in read_rows(engine).items()}
    jwp.library.replace_all([], [])
    jwp.fetch()
    for asset in seen:
        jwp.follow(asset)
    returned = video("a", 1, updated=3, acl="USER_x", title="Older")
    jwp.library.replace_all([returned, video("no-item", updated=3)], [])
    jwp.fetch()
    for asset in back:
        jwp.follow(asset)
    jwp.follow()
    state = read_state(engine)
    assert state["videos"] == {"a": 3, "no-item": 3}
    item = state["media_items"]["a"]
    assert (item["title"], item["view"]["is_public"], item["view"]["crsids"]) == ("Older", False, ["x"])
    assert {name: row.id for name, row in read_rows(engine).items()} == ids
    # This happens only once.
    written = written_by(engine)
    jwp.follow()
    assert written_by(engine) == written
    jwp.library.put("video", {**returned, "title": "Newer text, older stamp"})
    jwp.sync()
    assert live_titles(engine) == {"a": "Older"}


def test_a_stamp_that_was_never_synchronised_does_not_count(jwp, engine):
    """Semantics §2: only `videos` saw the newer stamp, so the first sync of the item uses the stamp listed then."""
    jwp.library.replace_all([video("a", 1, updated=5), video("no-item", updated=5)], [])
    jwp.fetch()
    jwp.follow("videos")
    jwp.library.replace_all([video("a", 1, updated=3), video("no-item", updated=3)], [])
    jwp.sync()
    assert read_state(engine)["videos"] == {"a": 3, "no-item": 3}


UNREADABLE = {
    "acl": {"custom": {"sms_media_id": "media:1:", "sms_acl": "WORLD"}},
    "custom": {"custom": None},
    "both shapes": {"custom": {"sms_media_id": "media:1:", "sms_acl": "acl:WORLD:"}, "id": "a", "metadata": {}},
}


@pytest.mark.parametrize("what", UNREADABLE)
@pytest.mark.parametrize(("updated", "acl"), [(5, "WORLD"), (4, "CAM"), ("soon", "USER_a"), (5, "INST_a,GROUP_b")])
def test_an_unreadable_acl_grants_nothing_at_once(what, updated, acl, jwp, engine):
    """P5, semantics §4: it does not need a newer `updated`, while a readable ACL that changed waits for one."""
    jwp.library.replace_all([video("a", 1, updated=5, acl=acl)], [])
    jwp.sync()
    view = read_state(engine)["media_items"]["a"]["view"]
    for readable in ("USER_b", "MARTIAN"):
        jwp.library.put("video", video("a", 1, updated=5, acl=readable))
        jwp.sync()
        assert read_state(engine)["media_items"]["a"]["view"] == view
    jwp.library.put("video", {**video("a", updated=updated), **UNREADABLE[what]})
    jwp.sync()
    assert read_state(engine)["media_items"]["a"]["view"] == NOBODY
    assert read_state(engine)["videos"] == {"a": 5}
    # An item that nobody may view is not written again, and a changed text waits.
    written = written_by(engine)
    jwp.library.put("video", {**video("a", updated=updated, title="Waits"), **UNREADABLE[what]})
    jwp.sync()
    assert live_titles(engine) == {"a": "Video a"}
    assert {row: by for row, by in written_by(engine).items() if row[0] == "media_items"} == {
        row: by for row, by in written.items() if row[0] == "media_items"
    }
    # The item opens again when there is a newer ACL that can be read.
    jwp.library.put("video", video("a", 1, updated=6, acl=acl))
    jwp.sync()
    assert read_state(engine)["media_items"]["a"]["view"] == view
