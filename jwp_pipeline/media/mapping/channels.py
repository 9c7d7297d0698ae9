"""Maps a channel or v2 playlist to the fields of its media channel and playlist."""

from __future__ import annotations

from typing import Any

from jwp_pipeline.access.acl import Permission
from jwp_pipeline.media.mapping.datetimes import iso_change_stamp
from jwp_pipeline.media.mapping.fields import change_stamp, description, instid, integers
from jwp_pipeline.media.mapping.properties import Reading
from jwp_pipeline.media.mapping.results import KEEP, ChannelFields, CreateItems, Keep
from jwp_pipeline.media.mapping.shapes import open_resource


def map_channel(data: Any, *, key: str, create_items: CreateItems) -> ChannelFields:
    """Return the fields of a channel's media channel and playlist, from cached `data` in v1 or v2 shape.

    Never raises for a JSON value.
    """
    source, reading = open_resource(data)
    is_v2 = source.shape == "v2"
    sms_collection_id = reading.sms_id("sms_collection_id", "collection")
    return ChannelFields(
        key=key,
        updated=reading.field("updated", source.updated, iso_change_stamp if is_v2 else change_stamp, 0),
        lists_members=KEEP if source.shape is None else is_v2,
        title=reading.text("title", source.title),
        description=description(reading.text("description", source.description)),
        instid=reading.property("sms_instid", ("instid",), instid, ""),
        permission=_edit_permission(reading),
        sms_collection_id=sms_collection_id,
        wants_playlist=_wants_playlist(sms_collection_id, create_items),
        media_ids=reading.property("sms_collection_media_ids", ("collection_media_ids",), integers, None),
        sms_last_updated_at=reading.sms_time(),
        problems=tuple(reading.problems),
    )


def _wants_playlist(sms_collection_id: int | Keep | None, create_items: CreateItems) -> bool | Keep:
    if create_items == "all":
        return True
    return KEEP if sms_collection_id is KEEP else sms_collection_id is not None


def _edit_permission(reading: Reading) -> Permission:
    """Return the permission of the creator and the group. Either grants nothing if it is empty or cannot be read."""
    # The SMS wrote `creator` into old records.
    creator = reading.property("sms_created_by", ("created_by", "creator"), str, "")
    group = reading.property("sms_groupid", ("groupid",), str, "")
    return Permission(
        crsids=(creator,) if creator and creator is not KEEP else (),
        lookup_groups=(group,) if group and group is not KEEP else (),
    )
