"""Compares an edit with the video that it is for, in v1's or v2's shape. The functions are pure.

Put here what is the same for v1 and v2; v1_bodies.py and v2_bodies.py say what each of them is sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from jwp_pipeline.jwplatform.properties import property_of
from jwp_pipeline.jwplatform.shapes import iso_moment, raw_key, raw_properties, shape_of
from jwp_pipeline.jwplatform.writing import VideoEdit

BLANK = " "
"""What is sent for an empty description."""

# As v2 writes a time. A sync may read other forms of ISO 8601 as another time, or not at all.
_V2_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


def still_to_do(shown: Mapping[str, Any], edit: VideoEdit) -> VideoEdit:
    """Return the edit without what the video has already.

    What is left out must be read by a sync exactly as it is in the edit, or else the sync would undo it.
    """
    # A video of unclear shape is not read at all.
    metadata = {} if shape_of(shown) is None else _metadata(shown)
    custom = raw_properties(shown)
    same_title = edit.title == metadata.get("title")
    same_description = edit.description is not None and _is_same_text(edit.description, metadata.get("description"))
    same_date = edit.published_at is not None and _is_same_time(edit.published_at, shown, metadata)
    return replace(
        edit,
        title=None if same_title else edit.title,
        description=None if same_description else edit.description,
        published_at=None if same_date else edit.published_at,
        custom={name: value for name, value in edit.custom.items() if property_of(custom, name) != value},
        add_tags=tuple(tag for tag in edit.add_tags if tag not in tags_of(shown)),
    )


def is_empty(edit: VideoEdit) -> bool:
    """Whether an edit changes nothing."""
    return edit == VideoEdit()


def description_to_send(description: str) -> str:
    """Return the description, or a single space if it is blank, because v1 refuses or ignores an empty one."""
    return description if description.strip() else BLANK


def whole_seconds(moment: datetime) -> int:
    """Return a time with a zone as seconds since the epoch, without the fraction."""
    return int(moment.replace(microsecond=0).timestamp())


def tags_of(shown: Mapping[str, Any]) -> list[str]:
    """Return the tags of a video in their order; v1 has them in one text, with or without spaces after the commas."""
    tags = _metadata(shown).get("tags")
    return split_tags(tags) if isinstance(tags, str) else list(tags) if isinstance(tags, list) else []


def split_tags(tags: str) -> list[str]:
    """Return the tags in v1's comma list, without blanks around them and without empty ones."""
    return [tag for part in tags.split(",") if (tag := part.strip())]


def merged_tags(present: Iterable[str], added: Iterable[str]) -> list[str]:
    """Return the present tags and then the added ones, each once."""
    return list(dict.fromkeys([*present, *added]))


def exact_matches(videos: Iterable[Any], name: str, value: str) -> list[dict[str, Any]]:
    """Return the videos whose custom property has exactly this value, each once; a search may find others as well."""
    found = {
        raw_key(video): video
        for video in videos
        if isinstance(video, dict) and property_of(raw_properties(video), name) == value
    }
    return list(found.values())


def _metadata(shown: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the object that holds title, description and tags."""
    metadata = shown if shape_of(shown) == "v1" else shown.get("metadata")
    return metadata if isinstance(metadata, Mapping) else {}


def _is_same_text(description: str, other: Any) -> bool:
    """Whether a description is read as the one to send. A blank one is sent as a space, which is read as empty."""
    return description_to_send(description) == other or (not description.strip() and other in (None, ""))


def _is_same_time(moment: datetime, shown: Mapping[str, Any], metadata: Mapping[str, Any]) -> bool:
    """Whether the publish date is exactly the one to send, which has no fraction of a second."""
    if shape_of(shown) == "v1":
        seconds = metadata.get("date")
        return type(seconds) in (int, float) and seconds == whole_seconds(moment)
    text = metadata.get("publish_start_date")
    is_v2_time = isinstance(text, str) and _V2_TIME.fullmatch(text) is not None
    return is_v2_time and iso_moment(text) == moment.replace(microsecond=0)
