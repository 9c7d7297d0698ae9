"""The two shapes of a cached resource, brought to v1's names.

v1 has everything at the top; v2 has texts, tags, publish date and custom properties in `metadata`.
Not here: what the values mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from jwp_pipeline.media.mapping.properties import Reading
from jwp_pipeline.media.mapping.results import KEEP

_NOT_AN_OBJECT = "not an object"


class Source(NamedTuple):
    """JSON values of a resource by their v1 names: None where absent or null, KEEP where out of reach."""

    shape: Literal["v1", "v2"]
    title: Any
    description: Any
    mediatype: Any
    duration: Any
    updated: Any
    date: Any
    tags: Any


def open_resource(data: Any) -> tuple[Source, Reading]:
    """A cached resource in either shape, for reading; what is no object at all is noted in the reading."""
    if not isinstance(data, dict):
        reading = Reading(KEEP)
        reading.note("data", data, _NOT_AN_OBJECT)
        return Source("v1", KEEP, KEEP, KEEP, KEEP, KEEP, KEEP, KEEP), reading
    return _open_v2(data) if _is_v2(data) else _open_v1(data)


def _is_v2(data: Mapping[str, Any]) -> bool:
    return "metadata" in data or ("id" in data and "key" not in data)


def _open_v1(data: Mapping[str, Any]) -> tuple[Source, Reading]:
    source = Source(
        "v1",
        data.get("title"),
        data.get("description"),
        data.get("mediatype"),
        data.get("duration"),
        data.get("updated"),
        data.get("date"),
        data.get("tags"),
    )
    # v1 sends {} for none: a null is a fault, and must not make a video as public as one without an ACL.
    return source, _reading(data.get("custom", {}))


def _open_v2(data: Mapping[str, Any]) -> tuple[Source, Reading]:
    top = (data.get("media_type"), data.get("duration"), data.get("last_modified"))
    metadata = data.get("metadata")
    if not isinstance(metadata, dict):
        reading = Reading(KEEP)
        reading.note("metadata", metadata, _NOT_AN_OBJECT)
        return Source("v2", KEEP, KEEP, *top, KEEP, KEEP), reading
    source = Source(
        "v2",
        metadata.get("title"),
        metadata.get("description"),
        *top,
        metadata.get("publish_start_date"),
        metadata.get("tags"),
    )
    custom = metadata.get("custom_params")
    return source, _reading({} if custom is None else custom)


def _reading(custom: Any) -> Reading:
    if isinstance(custom, dict):
        return Reading(custom)
    reading = Reading(KEEP)
    reading.note("custom", custom, _NOT_AN_OBJECT)
    return reading
