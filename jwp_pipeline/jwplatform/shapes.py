"""Knows the shape of v1, v2 and local resources: the names of their arrays, keys and change stamps.

Put here the field names that differ between the APIs. The meaning of the other fields is in `media/mapping`. The
functions are pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Literal

from jwp_pipeline.jwplatform.management import ResourceType

Origin = Literal["v1", "v2", "local"]
"""Where the elements of a listing come from: a Management API, or a caller of `set_resources`."""

LISTED_PLAYLISTS = "manual"
"""The type of channel (v1) or playlist (v2) that we list. Other types, such as dynamic ones, are left out."""

KEY_FIELDS: Mapping[Literal["v1", "v2"], str] = MappingProxyType({"v1": "key", "v2": "id"})
STAMP_FIELDS: Mapping[Literal["v1", "v2"], str] = MappingProxyType({"v1": "updated", "v2": "last_modified"})
PLAYLIST_TYPE_FIELDS: Mapping[Literal["v1", "v2"], str] = MappingProxyType({"v1": "type", "v2": "playlist_type"})

_MARKS_OF_V1 = frozenset({KEY_FIELDS["v1"], "custom"})
_MARKS_OF_V2 = frozenset({KEY_FIELDS["v2"], "metadata", "media_type", STAMP_FIELDS["v2"]})
SHAPE_MARKS = _MARKS_OF_V1 | _MARKS_OF_V2
"""The fields by which the shape of a resource is recognised."""

_ARRAY_FIELDS: Mapping[tuple[Origin, ResourceType], str] = MappingProxyType(
    {
        ("v1", "video"): "videos",
        ("v1", "channel"): "channels",
        ("v2", "video"): "media",
        ("v2", "channel"): "playlists",
        ("local", "video"): "resources",
        ("local", "channel"): "resources",
    }
)


def array_field(origin: Origin, resource_type: ResourceType) -> str:
    """Return the name of the field that holds the elements of a listing's page."""
    return _ARRAY_FIELDS[origin, resource_type]


def raw_key(element: Any) -> Any:
    """Return the value of an element's key field, v1's `key` or else v2's `id`; None if it is not an object."""
    return element.get(KEY_FIELDS["v1"], element.get(KEY_FIELDS["v2"])) if isinstance(element, dict) else None


def change_stamp(element: Any) -> datetime | None:
    """Return when an element was last changed, in UTC: v1's `updated` or else v2's `last_modified`; None if unknown.

    v1 sends seconds since the epoch. v2 sends an ISO 8601 text, which is read as UTC if it has no offset.
    """
    if not isinstance(element, dict):
        return None
    seconds, text = element.get(STAMP_FIELDS["v1"]), element.get(STAMP_FIELDS["v2"])
    try:
        if isinstance(seconds, int) or (isinstance(seconds, str) and seconds.isdigit()):
            return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return iso_moment(text)


def iso_moment(text: Any) -> datetime | None:
    """Return the time of an ISO 8601 text, in UTC; None if it is no such text. Without an offset, it is read as UTC."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
        if moment is None:
            return None
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def is_listed_type(resource_type: ResourceType, data: Mapping[str, Any]) -> bool:
    """Whether a resource belongs to a listing: every video does, but only manual channels do.

    A channel that does not name its type counts as listed, so that it is removed only if JW Platform clearly says so.
    """
    if resource_type == "video":
        return True
    # v2 has a `type` as well, but it is the type of the object, not of the playlist.
    is_v2 = PLAYLIST_TYPE_FIELDS["v2"] in data or KEY_FIELDS["v1"] not in data
    named = data.get(PLAYLIST_TYPE_FIELDS["v2" if is_v2 else "v1"])
    return named is None or named == LISTED_PLAYLISTS


def shape_of(data: Mapping[str, Any]) -> Literal["v1", "v2"] | None:
    """Return the shape of a resource, or None if it has fields of both.

    Such a resource must not be read at all. Read in the wrong shape, it might seem to have no properties, and would
    then be as public as one without an ACL.
    """
    is_v1, is_v2 = not _MARKS_OF_V1.isdisjoint(data), not _MARKS_OF_V2.isdisjoint(data)
    if is_v1 and is_v2:
        return None
    return "v2" if is_v2 else "v1"


def raw_properties(data: Mapping[str, Any]) -> Any:
    """Return the JSON value that should be the object of a resource's custom properties; `{}` if it has none.

    The value is None if it cannot be reached, because the shape of the resource is not clear or v2's `metadata` is no
    object.
    """
    shape = shape_of(data)
    if shape == "v1":
        # v1 sends {} if there are none. A null is a fault, and must not make a video as public as one without an ACL.
        return data.get("custom", {})
    metadata = data.get("metadata") if shape == "v2" else None
    if not isinstance(metadata, dict):
        return None
    custom = metadata.get("custom_params")
    return {} if custom is None else custom
