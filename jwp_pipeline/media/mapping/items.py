"""Maps a video to the fields of its media item. Put here new fields of items, and changes in how a field is read.

A field is declared once, in ITEM_FIELDS; columns and statements derive from that. (Only the column of the table itself
is declared again, in database/media_tables.py and in its migration.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from jwp_pipeline.access.acl import NOBODY, Permission, parse_acl
from jwp_pipeline.media.mapping.datetimes import iso_change_stamp, iso_date_time
from jwp_pipeline.media.mapping.fields import (
    change_stamp,
    description,
    epoch_seconds,
    is_true,
    jwp_tags,
    keywords,
    language,
    media_type,
    seconds,
)
from jwp_pipeline.media.mapping.properties import Reading
from jwp_pipeline.media.mapping.results import KEEP, AclState, CreateItems, Keep, VideoFields
from jwp_pipeline.media.mapping.shapes import Source, open_resource


class Opened(NamedTuple):
    """A video that is being read."""

    source: Source
    reading: Reading
    create_items: CreateItems

    @property
    def is_v2(self) -> bool:
        """Whether the video has v2's shape, in which times are texts."""
        return self.source.shape == "v2"


class Column(NamedTuple):
    """A column of media_items that the sync writes."""

    name: str
    type: str
    """PostgreSQL's name of the type."""
    default: str
    """The SQL expression for the value of a new item whose video has no readable one."""


class Field(NamedTuple):
    """A field of an item: its column, and a function that reads it from a video and returns KEEP if it cannot."""

    column: Column
    read: Callable[[Opened], Any]


def _published_at(video: Opened) -> Any:
    """Read the publish date. Without one, an item keeps the date it has, and a new item gets the time of the sync."""
    return video.reading.field("date", video.source.date, iso_date_time if video.is_v2 else epoch_seconds, KEEP)


def _tags(video: Opened) -> tuple[str, ...] | Keep:
    """Read the keywords of the SMS. In `all` mode, a video without that property has JWP's own tags instead."""
    if video.create_items == "all" and not video.reading.has_property("sms_keywords"):
        return video.reading.field("tags", video.source.tags, jwp_tags, ())
    return video.reading.property("sms_keywords", ("keywords",), keywords, ())


ITEM_FIELDS = (
    Field(Column("title", "text", "''"), lambda video: video.reading.text("title", video.source.title)),
    Field(
        Column("description", "text", "''"),
        lambda video: description(video.reading.text("description", video.source.description)),
    ),
    Field(
        Column("type", "text", "'unknown'"),
        lambda video: video.reading.field("mediatype", video.source.mediatype, media_type, "unknown"),
    ),
    Field(
        Column("duration", "float8", "0"),
        lambda video: video.reading.field("duration", video.source.duration, seconds, 0.0),
    ),
    Field(Column("published_at", "timestamptz", "now()"), _published_at),
    Field(
        Column("downloadable", "bool", "false"),
        lambda video: video.reading.property("sms_downloadable", ("downloadable",), is_true, False),
    ),
    Field(
        Column("language", "text", "''"),
        lambda video: video.reading.property("sms_language", ("language",), language, ""),
    ),
    Field(
        Column("copyright", "text", "''"),
        lambda video: video.reading.property("sms_copyright", ("copyright",), str, ""),
    ),
    Field(Column("tags", "text[]", "'{}'"), _tags),
)
"""Every field of an item except its view permission."""

VIEW_COLUMNS = (
    Column("view_is_public", "bool", "false"),
    Column("view_is_signed_in", "bool", "false"),
    Column("view_crsids", "text[]", "'{}'"),
    Column("view_lookup_groups", "text[]", "'{}'"),
    Column("view_lookup_insts", "text[]", "'{}'"),
)
"""The view permission of an item: the fields of Permission, in order. Nobody may view a new item without one."""


def map_video(data: Any, *, key: str, default_acl: Permission, create_items: CreateItems) -> VideoFields:
    """Return the fields of a video's media item, from cached `data` in v1 or v2 shape.

    `default_acl` is who may view a video that has no sms_acl. Never raises for a JSON value.
    """
    source, reading = open_resource(data)
    video = Opened(source, reading, create_items)
    sms_media_id = reading.sms_id("sms_media_id", "media")
    acl_state, permission = _view_permission(reading, default_acl)
    return VideoFields(
        key=key,
        updated=reading.field("updated", source.updated, iso_change_stamp if video.is_v2 else change_stamp, 0),
        sms_media_id=sms_media_id,
        wants_item=create_items == "all" or isinstance(sms_media_id, int),
        item={field.column.name: field.read(video) for field in ITEM_FIELDS},
        acl_state=acl_state,
        permission=permission,
        has_properties=reading.has_any_property(),
        sms_last_updated_at=reading.sms_time(),
        problems=tuple(reading.problems),
    )


def _view_permission(reading: Reading, default_acl: Permission) -> tuple[AclState, Permission]:
    acl = reading.property("sms_acl", ("acl",), parse_acl, None)
    if acl is KEEP:
        return "unreadable", NOBODY
    if acl is None:
        return "absent", default_acl
    permission, problems = acl
    if problems:
        reading.note("sms_acl", reading.raw_property("sms_acl"), "; ".join(problems))
    return "read", permission
