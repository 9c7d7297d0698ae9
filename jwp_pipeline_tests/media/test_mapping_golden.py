"""Each video and channel of the scenarios, in v1 and in v2 form, is mapped to the same values as by the reference."""

from datetime import UTC, datetime, timedelta

import pytest

from jwp_pipeline.access.acl import parse_acl
from jwp_pipeline.media.mapping import KEEP, map_channel, map_video
from jwp_pipeline_tests import golden

WORLD, _ = parse_acl("WORLD")


def unchanged(resource, _kind):
    return resource


def v2_form(resource, kind):
    """Return the same resource as v2 lists it."""

    def iso(seconds):
        if seconds is None:
            return None
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=float(seconds))).isoformat()

    moved = {
        "key": ("id", str),
        "updated": ("last_modified", iso),
        "mediatype": ("media_type", unchanged_value),
        "duration": ("duration", lambda value: None if value is None else float(value)),
    }
    moved_to_metadata = {
        "title": ("title", unchanged_value),
        "description": ("description", unchanged_value),
        "date": ("publish_start_date", iso),
        "tags": ("tags", lambda tags: [tag.strip() for tag in (tags or "").split(",") if tag.strip()]),
        "custom": ("custom_params", unchanged_value),
    }
    top = {new: convert(resource[old]) for old, (new, convert) in moved.items() if old in resource}
    metadata = {new: convert(resource[old]) for old, (new, convert) in moved_to_metadata.items() if old in resource}
    return {**top, "type": {"video": "media", "channel": "playlist"}[kind], "metadata": metadata}


def unchanged_value(value):
    return value


def play(name):
    """Yield (step, golden state after it, state before it, options) for each step that reads both listings."""
    before = {"videos": {}, "media_items": {}, "channels": {}}
    for step, after in golden.steps(name):
        options = step["options"]
        if not (options.get("skip_video_fetch") or options.get("skip_channel_fetch")):
            yield step, after, before, options
        before = after


def view(permission):
    return {
        "is_public": permission.is_public,
        "is_signed_in": permission.is_signed_in,
        "crsids": list(permission.crsids),
        "lookup_groups": list(permission.lookup_groups),
        "lookup_insts": list(permission.lookup_insts),
    }


def stamp(time):
    return time and time.isoformat()


def sms_stamp(sms_id, fields):
    """Return the time in the SMS row, which exists only if there is an id."""
    return None if sms_id is None else stamp(fields.sms_last_updated_at)


def is_synchronised(video, before, options):
    """Return whether the item depends on this step alone, and not on an earlier one."""
    key = video["key"]
    return (
        options.get("sync_all")
        or before["media_items"].get(key, {"deleted": True})["deleted"]
        or int(video.get("updated") or 0) > before["videos"].get(key, -1)
    )


@pytest.mark.parametrize("form", [unchanged, v2_form])
@pytest.mark.parametrize("name", golden.SCENARIOS)
def test_videos_map_as_in_the_reference(name, form):
    compared = 0
    for step, after, before, options in play(name):
        for video in step["videos"]:
            key = video["key"]
            fields = map_video(form(video, "video"), key=key, default_acl=WORLD, create_items="sms")
            item = after["media_items"].get(key)
            had_item = not before["media_items"].get(key, {"deleted": True})["deleted"]
            has_item = item is not None and not item["deleted"]
            assert has_item == (fields.wants_item or had_item)
            if not has_item or not is_synchronised(video, before, options):
                continue
            compared += 1
            expected = dict(item)
            published_at = expected.pop("published_at")
            for decided_elsewhere in ("deleted", "channel"):
                expected.pop(decided_elsewhere)
            if had_item and None not in (before["media_items"][key]["sms_media_id"], fields.sms_media_id):
                # Our SMS row follows a changed id, while the reference keeps the first one.
                expected["sms_media_id"] = fields.sms_media_id
            assert {
                "title": fields.item["title"],
                "description": fields.item["description"],
                "type": fields.item["type"],
                "duration": fields.item["duration"],
                "language": fields.item["language"],
                "copyright": fields.item["copyright"],
                "tags": list(fields.item["tags"]),
                "downloadable": fields.item["downloadable"],
                "view": view(fields.permission),
                "sms_media_id": fields.sms_media_id,
                "sms_last_updated_at": sms_stamp(fields.sms_media_id, fields),
            } == expected, (step["name"], key)
            if fields.item["published_at"] is not KEEP:
                assert stamp(fields.item["published_at"]) == published_at
            elif not had_item:
                assert published_at == "NOW"
            assert fields.updated == int(video.get("updated") or 0)
            assert {problem.field for problem in fields.problems} <= {"sms_acl"}
    assert compared > 20


@pytest.mark.parametrize("form", [unchanged, v2_form])
@pytest.mark.parametrize("name", golden.SCENARIOS)
def test_channels_map_as_in_the_reference(name, form):
    compared = 0
    for step, after, before, _ in play(name):
        for channel in step["channels"]:
            key = channel["key"]
            fields = map_channel(form(channel, "channel"), key=key, create_items="sms")
            expected = after["channels"][key]
            compared += 1
            assert fields.problems == ()
            assert (fields.title, fields.description) == (expected["title"], expected["description"])
            assert view(fields.permission) == expected["edit"]
            if key not in before["channels"]:
                assert fields.instid == expected["billing_account"]
            assert fields.sms_collection_id == expected["sms_collection_id"], step["name"]
            assert sms_stamp(fields.sms_collection_id, fields) == expected["sms_last_updated_at"]
            if fields.wants_playlist:
                ids = {
                    item["sms_media_id"]: video
                    for video, item in after["media_items"].items()
                    if not item["deleted"] and item["sms_media_id"] is not None
                }
                assert [ids[media_id] for media_id in fields.media_ids or () if media_id in ids] == expected[
                    "playlist"
                ]["media_items"]
    assert compared > 5
