"""From a video to the fields of its media item.

Not here: whether it is time to synchronise it, and which of two videos owns an SMS id.
"""

from __future__ import annotations

from typing import Any

from jwp_pipeline.access.acl import NOBODY, Permission, parse_acl
from jwp_pipeline.media.mapping.datetimes import iso_change_stamp, iso_date_time
from jwp_pipeline.media.mapping.fields import (
    change_stamp,
    epoch_seconds,
    is_true,
    jwp_tags,
    keywords,
    language,
    media_type,
    seconds,
)
from jwp_pipeline.media.mapping.properties import Reading
from jwp_pipeline.media.mapping.results import KEEP, CreateItems, Keep, VideoFields
from jwp_pipeline.media.mapping.shapes import Source, open_resource


def map_video(data: Any, *, key: str, default_acl: Permission, create_items: CreateItems) -> VideoFields:
    """The fields of a video's media item, from cached `data` in its v1 or v2 shape.

    `default_acl` is who may view a video that has no sms_acl. Never raises for a JSON value.
    """
    source, reading = open_resource(data)
    is_v2 = source.shape == "v2"
    sms_media_id = reading.sms_id("sms_media_id", "media")
    permission, acl_is_unreadable = _view_permission(reading, default_acl)
    published_at = reading.field("date", source.date, iso_date_time if is_v2 else epoch_seconds, None)
    return VideoFields(
        key=key,
        updated=reading.field("updated", source.updated, iso_change_stamp if is_v2 else change_stamp, 0),
        sms_media_id=sms_media_id,
        wants_item=create_items == "all" or isinstance(sms_media_id, int),
        title=reading.text("title", source.title),
        description=reading.text("description", source.description),
        type=reading.field("mediatype", source.mediatype, media_type, "unknown"),
        duration=reading.field("duration", source.duration, seconds, 0.0),
        published_at=None if published_at is KEEP else published_at,
        downloadable=reading.property("sms_downloadable", ("downloadable",), is_true, False),
        language=reading.property("sms_language", ("language",), language, ""),
        copyright=reading.property("sms_copyright", ("copyright",), str, ""),
        tags=_tags(source, reading, create_items),
        permission=permission,
        acl_is_unreadable=acl_is_unreadable,
        sms_last_updated_at=reading.sms_time(),
        problems=tuple(reading.problems),
    )


def _tags(source: Source, reading: Reading, create_items: CreateItems) -> tuple[str, ...] | Keep:
    """The keywords of the SMS; a video that never was there has JWP's own tags instead, in `all` mode."""
    if create_items == "all" and not reading.has_property("sms_keywords"):
        return reading.field("tags", source.tags, jwp_tags, ())
    return reading.property("sms_keywords", ("keywords",), keywords, ())


def _view_permission(reading: Reading, default_acl: Permission) -> tuple[Permission, bool]:
    """Who may view it, and whether that is nobody because the ACL cannot be read at all."""
    acl = reading.property("sms_acl", ("acl",), str, None)
    if acl is KEEP:
        return NOBODY, True
    if acl is None:
        return default_acl, False
    permission, problems = parse_acl(acl)
    if problems:
        reading.note("sms_acl", reading.raw_property("sms_acl"), "; ".join(problems))
    return permission, False
