"""Readers of single values: JSON value or text in, value out, or Unreadable with the reason.

They never see what is absent or null. Date-times have a module of their own (datetimes.py).
"""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any, cast, get_args

from jwp_pipeline.media.mapping.results import Keep, MediaType

MAX_TAG_LENGTH = 256
LANGUAGE_LENGTH = 3
MAX_INSTID_LENGTH = 255
"""Billing accounts are found by it, and an index of PostgreSQL holds no entry of thousands of characters."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BIGINT = range(-(2**63), 2**63)
_MEDIA_TYPES = frozenset(get_args(MediaType))
# What PostgreSQL's text cannot hold.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# Marks at JW Platform which site a video belongs to.
_SITE_TAG = "sitedomain:"


class Unreadable(ValueError):
    """A value cannot be read; the message says what is wrong, without repeating the value."""


def clean(text: str) -> str:
    """The text with U+FFFD for each NUL and lone surrogate."""
    if text.isascii() and "\0" not in text:
        return text
    return _UNSTORABLE.sub(_REPLACEMENT, text)


def as_text(value: Any) -> str:
    """Any JSON value as storable text: objects and lists as compact JSON, other values as Python writes them."""
    if isinstance(value, str):
        return clean(value)
    try:
        if isinstance(value, (dict, list)):
            return clean(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
        return str(value)
    except (RecursionError, ValueError):
        # Nested deeper than Python's stack, or an integer of more digits than Python writes.
        return f"({type(value).__name__} too large to show)"


def description(text: str | Keep) -> str | Keep:
    """A description; a single space is how a blank one is written to JW Platform."""
    return "" if text == " " else text


def integer(text: str) -> int:
    """An integer as Python's int() reads it, that a bigint holds."""
    try:
        value = int(text)
    except ValueError:
        raise Unreadable("not an integer") from None
    return _fitting(value)


def integers(text: str) -> tuple[int, ...]:
    """A comma list of integers, in order; blank entries are no entries."""
    return tuple(integer(entry) for entry in text.split(",") if entry and not entry.isspace())


def change_stamp(value: Any) -> int:
    """v1's `updated`: an integer, or a string of digits."""
    if type(value) is int:
        return _fitting(value)
    if isinstance(value, str) and value.isdecimal():
        return integer(value)
    raise Unreadable("not an integer")


def epoch_seconds(value: Any) -> datetime:
    """v1's `date`: seconds since the epoch, with a fraction perhaps, as UTC."""
    # By type, not isinstance: JSON's true is a Python integer.
    if type(value) not in (int, float):
        raise Unreadable("not a number of seconds since 1970")
    try:
        return _EPOCH + timedelta(seconds=value)
    except (OverflowError, ValueError):
        raise Unreadable("not a time between the years 1 and 9999") from None


def seconds(value: Any) -> float:
    """A duration: a number or a numeric string, finite."""
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
    """`video`, `audio` or `unknown`."""
    if isinstance(value, str) and value in _MEDIA_TYPES:
        return cast(MediaType, value)
    raise Unreadable("none of video, audio, unknown")


def keywords(text: str) -> tuple[str, ...]:
    """Tags from sms_keywords: separated by `|`."""
    return _tags(text.split("|"))


def jwp_tags(value: Any) -> tuple[str, ...]:
    """Tags from JWP's own: a comma list in v1, a list of texts in v2. Those that only name a site are none."""
    if isinstance(value, str):
        tags = _tags(clean(value).split(","))
    elif isinstance(value, list) and all(isinstance(tag, str) for tag in value):
        tags = _tags([clean(tag) for tag in value])
    else:
        raise Unreadable("neither a text nor a list of texts")
    return tuple(tag for tag in tags if not tag.startswith(_SITE_TAG))


def language(text: str) -> str:
    """The first three characters."""
    return text[:LANGUAGE_LENGTH]


def instid(text: str) -> str:
    """The id of an institution in Lookup."""
    if len(text) > MAX_INSTID_LENGTH:
        raise Unreadable(f"longer than {MAX_INSTID_LENGTH} characters")
    return text


def is_true(text: str) -> bool:
    """Whether it is exactly `True`, which is how the SMS writes it."""
    return text == "True"


def _tags(entries: list[str]) -> tuple[str, ...]:
    stripped = (entry.strip() for entry in entries)
    return tuple(entry.lower()[:MAX_TAG_LENGTH] for entry in stripped if entry)


def _fitting(value: int) -> int:
    if value not in _BIGINT:
        raise Unreadable("an integer of more than 64 bits")
    return value
