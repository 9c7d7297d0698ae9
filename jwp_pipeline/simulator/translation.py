"""Translates v1 objects into their v2 form, so that both Management APIs can serve one library.

A field that is missing in v1 is missing in v2, and a null stays null if it means the same in both. A value without a v2
form is kept as it is, so that malformed v1 values are malformed in v2 as well. Fields that v2 does not have (`views`,
`size`, …) are dropped, and fields that neither API knows are kept. The functions are pure.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FALLBACK_CREATED = 1_400_000_000
"""Creation stamp of a video that says nothing about time at all."""

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?")
_DIGITS = re.compile(r"[0-9]{1,18}")

_MEDIA_TOP = {
    "key": "id",
    "status": "status",
    "mediatype": "media_type",
    "md5": "md5",
    "sourceurl": "source_url",
    "trim_in_point": "trim_in_point",
    "trim_out_point": "trim_out_point",
}
_MEDIA_METADATA = {
    "title": "title",
    "description": "description",
    "author": "author",
    "link": "permalink",
    "category": "category",
    "protectionrule_key": "protection_rule_key",
}
_MEDIA_CONVERTED = {"updated", "duration", "error", "date", "expires_date", "tags", "custom"}
_MEDIA_DROPPED = {"views", "size", "sourceformat", "sourcetype", "upload_session_id"}
_MEDIA_KNOWN = {*_MEDIA_TOP, *_MEDIA_METADATA, *_MEDIA_CONVERTED, *_MEDIA_DROPPED}

_PLAYLIST_METADATA = ("title", "description", "author", "link")
_PLAYLIST_KNOWN = {
    *_PLAYLIST_METADATA,
    *("key", "type", "default", "updated", "custom", "views", "videos"),
    *("tags", "tags_mode", "sort_order", "pin_slot_1", "pin_slot_2"),
}
_PLAYLIST_TYPES = {"feed": "recommendations"}


def iso(seconds: float) -> str:
    """UTC epoch seconds as v2 writes them: `2024-05-28T12:14:23+00:00`, a fraction only if there is one.

    Raises OverflowError when no date can hold it.
    """
    return (EPOCH + timedelta(seconds=seconds)).isoformat()


def epoch_seconds(value: Any) -> int | None:
    """A v1 change stamp (an integer or its digits) as an integer, None when it is neither."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    return None


def created_stamp(video: dict[str, Any]) -> int:
    """When a video was made, epoch seconds. v1 does not say; its publication or last change must do."""
    stamps: list[Any] = [video.get("date"), epoch_seconds(video.get("updated"))]
    return min((int(stamp) for stamp in stamps if _is_date(stamp)), default=FALLBACK_CREATED)


def media(video: dict[str, Any]) -> dict[str, Any]:
    """A v1 video as an element of v2's media listing."""
    external = video.get("sourcetype") == "url"
    result: dict[str, Any] = {
        "type": "media",
        "schema": None,
        "created": iso(created_stamp(video)),
        "hosting_type": "external" if external else "hosted",
        "mime_type": _mime_type(video) if external else None,
        "external_id": None,
        "trim_in_point": None,
        "trim_out_point": None,
        "relationships": _relationships(video),
    }
    metadata: dict[str, Any] = {
        "category": None,
        "language": None,
        "external_id": None,
        "protection_rule_key": None,
    }
    result.update((name, video[old]) for old, name in _MEDIA_TOP.items() if old in video)
    metadata.update((name, video[old]) for old, name in _MEDIA_METADATA.items() if old in video)
    if "updated" in video:
        result["last_modified"] = _change_stamp(video["updated"])
    if "duration" in video:
        result["duration"] = _duration(video["duration"])
    if "error" in video:
        result["error_message"] = _error_message(video["error"])
    if "date" in video:
        metadata["publish_start_date"] = _date(video["date"])
    if "expires_date" in video:
        metadata["publish_end_date"] = _date(video["expires_date"])
    if "tags" in video:
        metadata["tags"] = _tags(video["tags"])
    if "custom" in video:
        metadata["custom_params"] = _custom_params(video["custom"])
    result.update((name, value) for name, value in video.items() if name not in _MEDIA_KNOWN)
    result["metadata"] = metadata
    return result


def playlist(channel: dict[str, Any], created: int, modified: int) -> dict[str, Any]:
    """A v1 channel as an element of v2's playlist listing.

    v1 channels carry no stamps, so they are given (epoch seconds); an `updated` in the object wins.
    """
    result: dict[str, Any] = {
        "type": "playlist",
        "schema": None,
        "created": iso(created),
        "last_modified": _change_stamp(channel.get("updated", modified)),
        "relationships": {},
    }
    if "key" in channel:
        result["id"] = channel["key"]
    if "type" in channel:
        kind = channel["type"]
        result["playlist_type"] = _PLAYLIST_TYPES.get(kind, kind) if isinstance(kind, str) else kind
        if result["playlist_type"] == "recommendations":
            result["default"] = channel.get("default", False)
    metadata = {name: channel[name] for name in _PLAYLIST_METADATA if name in channel}
    if "custom" in channel:
        metadata["custom_params"] = _custom_params(channel["custom"])
    result.update((name, value) for name, value in channel.items() if name not in _PLAYLIST_KNOWN)
    result["metadata"] = metadata
    return result


def manual_playlist(element: dict[str, Any], members: tuple[str, ...]) -> dict[str, Any]:
    """The manual form of a v2 playlist: `element` with its members (video keys in order, duplicates kept)."""
    media_filter = {"include": {"match": "any", "values": list(members)}}
    metadata = {**element["metadata"], "media_filter": media_filter}
    return {**element, "type": "manual_playlist", "metadata": metadata}


def _is_date(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        iso(value)
    except (OverflowError, ValueError):
        return False
    return True


def _date(value: Any) -> Any:
    return iso(value) if _is_date(value) else value


def _change_stamp(value: Any) -> Any:
    seconds = epoch_seconds(value)
    return iso(seconds) if seconds is not None and _is_date(seconds) else value


def _duration(value: Any) -> Any:
    if isinstance(value, str) and (match := _NUMBER.fullmatch(value)):
        number = float(value)
        if math.isfinite(number):
            return number if match[1] or match[2] else int(value)
    return value


def _error_message(value: Any) -> Any:
    return value["message"] if isinstance(value, dict) and set(value) == {"message"} else value


def _tags(value: Any) -> Any:
    if value is None:
        return []
    if isinstance(value, str):
        return [tag for tag in (part.strip() for part in value.split(",")) if tag]
    return value


def _custom_params(value: Any) -> Any:
    # v1's null is unreadable while v2's means "none"; an empty list is as unreadable there as null is in v1.
    return [] if value is None else value


def _mime_type(video: dict[str, Any]) -> str:
    return "audio/mpeg" if video.get("mediatype") == "audio" else "video/mp4"


def _relationships(video: dict[str, Any]) -> dict[str, Any]:
    rule = video.get("protectionrule_key")
    return {"protection_rule": {"id": rule, "type": "media_protection_rule"}} if rule else {}
