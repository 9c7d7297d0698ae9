"""A dry run tells what would happen to media items and to who may view them, and changes nothing."""

from typing import NamedTuple

import pytest

from jwp_pipeline.access.acl import format_acl
from jwp_pipeline.media.options import MediaOptions
from jwp_pipeline.media.preview import MediaPreview, in_words
from jwp_pipeline.mirror.apply import apply_newest
from jwp_pipeline.mirror.landing import read_listing
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline_tests.support import contents, rows, video
from jwp_pipeline_tests.support.site import OPEN_GUARD

ACLS = {
    "wider000": ("CAM", "WORLD"),
    "narrow00": ("WORLD", "USER_ab123"),
    "vanish00": ("USER_ab123", None),
    "same0000": ("CAM", "CAM"),
}


class Item(NamedTuple):
    """What is read of an item to know what happened to it."""

    title: str
    acl: str
    deleted: bool


def items(engine):
    query = "SELECT videos.key, media_items.* FROM videos JOIN media_items ON media_items.id = videos.media_item_id"
    return {
        row.key: Item(
            row.title,
            ",".join(
                ["WORLD"] * row.view_is_public
                + ["CAM"] * row.view_is_signed_in
                + [f"USER_{crsid}" for crsid in row.view_crsids]
            ),
            row.deleted_at is not None,
        )
        for row in rows(engine, query)
    }


def dry_run(jwp):
    read_listing(jwp.engine, jwp.client, "video")
    preview = MediaPreview(MediaOptions.from_settings(jwp.effective()))
    options = MirrorOptions(**OPEN_GUARD)
    return apply_newest(jwp.engine, "video", options=options, client=jwp.client, dry_run=True, preview=preview).effects


@pytest.mark.parametrize("mode", ["sms", "all"])
def test_a_dry_run_tells_what_the_sync_then_does(jwp, mode):
    jwp.settings["jwp_create_items"] = mode
    for number, (key, (acl, _)) in enumerate(ACLS.items()):
        jwp.library.put("video", video(key, number, acl=acl))
    for number, key in enumerate(("gone0000", "edited00", "idle0000"), start=100):
        jwp.library.put("video", video(key, number, acl="WORLD"))
    jwp.library.put("video", video("back0000", 200, acl="WORLD"))
    jwp.sync()
    jwp.library.remove("video", "back0000")
    jwp.sync()
    before = items(jwp.engine)

    for number, (key, (_, acl)) in enumerate(ACLS.items()):
        jwp.library.put("video", video(key, number, acl=acl, title="New title", updated=2))
    jwp.library.edit("video", "edited00", title="Edited", updated=2)
    jwp.library.remove("video", "gone0000")
    jwp.library.put("video", video("back0000", 200, acl="WORLD", updated=2))
    jwp.library.put("video", video("new00000", 300, acl="CAM", updated=2))
    everything = contents(
        jwp.engine, "cached_resources", "videos", "media_items", "sms_media_items", "resource_changes"
    )
    told = dry_run(jwp)
    unchanged = contents(jwp.engine, "cached_resources", "videos", "media_items", "sms_media_items", "resource_changes")
    assert unchanged == everything

    jwp.sync()
    after = items(jwp.engine)
    assert set(told) == {*ACLS, "edited00", "gone0000", "back0000", "new00000"}
    assert {key: effect.what for key, effect in told.items()} == {
        **dict.fromkeys((*ACLS, "edited00"), "changed"),
        "gone0000": "deleted",
        "back0000": "restored",
        "new00000": "created",
    }
    for key, effect in told.items():
        was = before[key].acl if key in before and not before[key].deleted else ""
        becomes = after[key].acl if not after[key].deleted else ""
        assert (format_acl(effect.before), format_acl(effect.after)) == (was, becomes), key
    access = {key: effect.access for key, effect in told.items()}
    assert (access["wider000"], access["narrow00"], access["same0000"]) == ("wider", "narrower", "same")
    assert in_words(told).startswith("Media items: 1 created, 5 changed, 1 restored, 1 deleted; view access becomes")
