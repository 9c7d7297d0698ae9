"""Finds the fields of a cached resource in v1 or v2 shape, and gives them v1's names.

v1 has every field at the top level; v2 has texts, tags, publish date and custom properties in `metadata`. The other
modules here say what the values mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from jwp_pipeline.jwplatform.shapes import SHAPE_MARKS, STAMP_FIELDS, raw_properties, shape_of
from jwp_pipeline.media.mapping.properties import Reading
from jwp_pipeline.media.mapping.results import KEEP

_NOT_AN_OBJECT = "not an object"


class Source(NamedTuple):
    """The JSON values of a resource by their v1 names: None if absent or null, KEEP if they cannot be reached."""

    shape: Literal["v1", "v2"] | None
    """The shape, or None if it is not clear."""
    title: Any
    description: Any
    mediatype: Any
    duration: Any
    updated: Any
    date: Any
    tags: Any


def open_resource(data: Any) -> tuple[Source, Reading]:
    """Open a cached resource in either shape for reading. Problems with its shape are noted."""
    if not isinstance(data, dict):
        return _out_of_reach(data, _NOT_AN_OBJECT)
    shape = shape_of(data)
    if shape is None:
        names = ", ".join(sorted(SHAPE_MARKS & data.keys()))
        return _out_of_reach(data, f"has fields of both v1 and v2 ({names}): which of them hold cannot be told")
    return _open_v2(data) if shape == "v2" else _open_v1(data)


def _out_of_reach(data: Any, problem: str) -> tuple[Source, Reading]:
    reading = Reading(KEEP)
    reading.note("data", data, problem)
    return Source(None, KEEP, KEEP, KEEP, KEEP, KEEP, KEEP, KEEP), reading


def _open_v1(data: Mapping[str, Any]) -> tuple[Source, Reading]:
    source = Source(
        "v1",
        data.get("title"),
        data.get("description"),
        data.get("mediatype"),
        data.get("duration"),
        data.get(STAMP_FIELDS["v1"]),
        data.get("date"),
        data.get("tags"),
    )
    return source, _reading(raw_properties(data))


def _open_v2(data: Mapping[str, Any]) -> tuple[Source, Reading]:
    top = (data.get("media_type"), data.get("duration"), data.get(STAMP_FIELDS["v2"]))
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
    return source, _reading(raw_properties(data))


def _reading(custom: Any) -> Reading:
    if isinstance(custom, dict):
        return Reading(custom)
    reading = Reading(KEEP)
    reading.note("custom", custom, _NOT_AN_OBJECT)
    return reading
