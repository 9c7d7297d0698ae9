"""Tells what PostgreSQL can store, and replaces what it cannot. The functions are pure.

PostgreSQL refuses a whole query because of a single such value, even if the value is only searched for. Put here what
must be known about a value before it becomes part of a query.
"""

from __future__ import annotations

import re

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""A character that no text in PostgreSQL can have: NUL, or half of a surrogate pair."""

_BIGINT = 2**63


def can_be_stored(value: str | int) -> bool:
    """Return whether a column of texts, or of the type bigint, can hold this value."""
    return -_BIGINT <= value < _BIGINT if isinstance(value, int) else UNSTORABLE.search(value) is None


def clean(text: str) -> str:
    """Replace each NUL and each lone surrogate of the text with U+FFFD."""
    if text.isascii() and "\0" not in text:
        return text
    return UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)
