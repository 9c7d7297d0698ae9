"""How v1, v2 and local resources are shaped: the names of their arrays, keys and change stamps. Pure.

Put here whatever tells the APIs' objects apart by name. What the other fields of a resource mean is read in
`media/mapping`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Literal

from jwp_pipeline.jwplatform.management import ResourceType

Origin = Literal["v1", "v2", "local"]
"""Where a listing's elements come from: a Management API, or a caller of `set_resources`."""

LISTED_PLAYLISTS = "manual"
"""The type of channel (v1) or playlist (v2) that is listed; there are others, such as dynamic ones."""

KEY_FIELDS: Mapping[Literal["v1", "v2"], str] = MappingProxyType({"v1": "key", "v2": "id"})
STAMP_FIELDS: Mapping[Literal["v1", "v2"], str] = MappingProxyType({"v1": "updated", "v2": "last_modified"})
PLAYLIST_TYPE_FIELDS: Mapping[Literal["v1", "v2"], str] = MappingProxyType({"v1": "type", "v2": "playlist_type"})

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
    """Name of the field of a listing's page that holds its elements."""
    return _ARRAY_FIELDS[origin, resource_type]


def raw_key(element: Any) -> Any:
    """What stands where an element has its key: v1's `key`, else v2's `id`; None for what is not an object."""
    return element.get(KEY_FIELDS["v1"], element.get(KEY_FIELDS["v2"])) if isinstance(element, dict) else None


def change_stamp(element: Any) -> datetime | None:
    """When an element was last changed, UTC: v1's `updated`, else v2's `last_modified`; None when it does not say.

    v1 sends seconds since the epoch, v2 an ISO 8601 text, taken for UTC when it names no offset.
    """
    if not isinstance(element, dict):
        return None
    seconds, text = element.get(STAMP_FIELDS["v1"]), element.get(STAMP_FIELDS["v2"])
    try:
        if isinstance(seconds, int) or (isinstance(seconds, str) and seconds.isdigit()):
            return datetime.fromtimestamp(int(seconds), UTC)
        if not isinstance(text, str):
            return None
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None


def is_listed_type(resource_type: ResourceType, data: Mapping[str, Any]) -> bool:
    """Whether a shown resource is still of the type that listings hold: any video, but of channels only manual ones.

    A channel that does not name its type counts as listed, so that only what JW Platform says can end it.
    """
    if resource_type == "video":
        return True
    # v2 has a `type` as well, which is that of the object and not of the playlist.
    is_v2 = PLAYLIST_TYPE_FIELDS["v2"] in data or KEY_FIELDS["v1"] not in data
    named = data.get(PLAYLIST_TYPE_FIELDS["v2" if is_v2 else "v1"])
    return named is None or named == LISTED_PLAYLISTS
