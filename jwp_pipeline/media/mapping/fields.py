"""Reads single values: each function takes a JSON value or a text, and returns the value or raises Unreadable.

Callers handle absent and null values themselves. datetimes.py reads date-times.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any, cast, get_args

from jwp_pipeline.jwplatform.properties import Unreadable
from jwp_pipeline.media.mapping.results import Keep, MediaType
from jwp_pipeline.storable import clean

MAX_TAG_LENGTH = 256
LANGUAGE_LENGTH = 3
MAX_INSTID_LENGTH = 255
"""Billing accounts are looked up by the id, and a PostgreSQL index cannot hold entries of thousands of characters."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BIGINT = range(-(2**63), 2**63)
_MEDIA_TYPES = frozenset(get_args(MediaType))
# Tags with this prefix say which site a video belongs to.
_SITE_TAG = "sitedomain:"


def as_text(value: Any) -> str:
    """Convert any JSON value to storable text: objects and lists as compact JSON, other values as `str()` does."""
    if isinstance(value, str):
        return clean(value)
    try:
        if isinstance(value, (dict, list)):
            return clean(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
        return str(value)
    except (RecursionError, ValueError):
        # The value is nested deeper than Python's stack, or is an integer of more digits than Python writes.
        return f"({type(value).__name__} too large to show)"


def description(text: str | Keep) -> str | Keep:
    """Return a description, which is empty for a single space because JW Platform accepts no empty one."""
    return "" if text == " " else text


def integer(text: str) -> int:
    """Read an integer as Python's `int()` does. It must fit into a bigint."""
    try:
        value = int(text)
    except ValueError:
        raise Unreadable("not an integer") from None
    return _fitting(value)


def integers(text: str) -> tuple[int, ...]:
    """Read a comma-separated list of integers, in order. Blank entries are skipped."""
    return tuple(integer(entry) for entry in text.split(",") if entry and not entry.isspace())


def change_stamp(value: Any) -> int:
    """Read v1's `updated`, which is an integer or a string of digits."""
    if type(value) is int:
        return _fitting(value)
    if isinstance(value, str) and value.isdecimal():
        return integer(value)
    raise Unreadable("not an integer")


def epoch_seconds(value: Any) -> datetime:
    """Read v1's `date`, which is in seconds since the epoch and may have a fraction, and return it in UTC."""
    # Compare types instead of using isinstance, because JSON's true is an instance of int.
    if type(value) not in (int, float):
        raise Unreadable("not a number of seconds since 1970")
    try:
        return _EPOCH + timedelta(seconds=value)
    except (OverflowError, ValueError):
        raise Unreadable("not a time between the years 1 and 9999") from None


def seconds(value: Any) -> float:
    """Read a duration, which is a finite number or a numeric string."""
    if type(value) not in (int, float, str):
        raise Unreadable("not a number of seconds")
    try:
        number = float(value)
    except (OverflowError, ValueError):
        raise Unreadable("not a number of seconds") from None
    if not math.isfinite(number):
        raise Unreadable("not a finite number of seconds")
    return number


def media_type(value: Any) -> MediaType:
    """Read a media type: `video`, `audio` or `unknown`."""
    if isinstance(value, str) and value in _MEDIA_TYPES:
        return cast(MediaType, value)
    raise Unreadable("none of video, audio, unknown")


def keywords(text: str) -> tuple[str, ...]:
    """Read the tags of sms_keywords, which are separated by `|`."""
    return _tags(text.split("|"))


def jwp_tags(value: Any) -> tuple[str, ...]:
    """Read JWP's own tags: a comma-separated text in v1, a list in v2. Tags that only name a site are left out."""
    if isinstance(value, str):
        tags = _tags(clean(value).split(","))
    elif isinstance(value, list) and all(isinstance(tag, str) for tag in value):
        tags = _tags([clean(tag) for tag in value])
    else:
        raise Unreadable("neither a text nor a list of texts")
    return tuple(tag for tag in tags if not tag.startswith(_SITE_TAG))


def language(text: str) -> str:
    """Return the first three characters."""
    return text[:LANGUAGE_LENGTH]


def instid(text: str) -> str:
    """Read the id of an institution in Lookup."""
    if len(text) > MAX_INSTID_LENGTH:
        raise Unreadable(f"longer than {MAX_INSTID_LENGTH} characters")
    return text


def is_true(text: str) -> bool:
    """Return whether the text is exactly `True`, as the SMS writes it."""
    return text == "True"


def _tags(entries: list[str]) -> tuple[str, ...]:
    stripped = (entry.strip() for entry in entries)
    return tuple(entry.lower()[:MAX_TAG_LENGTH] for entry in stripped if entry)


def _fitting(value: int) -> int:
    if value not in _BIGINT:
        raise Unreadable("an integer of more than 64 bits")
    return value
