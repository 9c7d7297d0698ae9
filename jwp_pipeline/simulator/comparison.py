"""Compares a single value as v2's `q` does, by the type of its attribute. lucene.py parses `q`.

The types are `keyword` (exact, including case), `text` (by words, ignoring case), `number`, `boolean`, and `instant`
(epoch seconds or ISO text; a date alone means the whole day, and UTC is the default zone). The functions are pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

ValueTest = Callable[[Any], bool]


class QueryError(ValueError):
    """`q` cannot be read, or names an attribute that the resource does not have."""


def value_test(field_type: str, text: str, *, phrase: bool) -> ValueTest:
    """Return a test for whether a value of this type matches `text`, which may be a phrase. Raises QueryError."""
    match field_type:
        case "text":
            words = _words(text)
            if phrase:
                wanted = f" {' '.join(words)} "
                return lambda value: isinstance(value, str) and wanted in f" {' '.join(_words(value))} "
            return lambda value: isinstance(value, str) and set(words) <= set(_words(value))
        case "instant" | "number":
            return range_test(field_type, text, text)
        case "boolean":
            return lambda value: value is (text == "true")
        case _:
            return lambda value: value == text


def range_test(field_type: str, low: str, high: str) -> ValueTest:
    """Return a test for whether a value lies in a range, ends included; `*` is an open end. Raises QueryError."""
    bound: Callable[[str, bool], Any]
    read: Callable[[Any], Any]
    if field_type == "instant":
        bound, read = _instant, _seconds
    elif field_type == "number":
        bound, read = _number, lambda value: value if isinstance(value, int | float) else None
    else:
        bound, read = (lambda text, _: text), (lambda value: value if isinstance(value, str) else None)
    lowest = None if low == "*" else bound(low, False)
    highest = None if high == "*" else bound(high, True)

    def test(value: Any) -> bool:
        value = read(value)
        if value is None:
            return False
        return (lowest is None or value >= lowest) and (highest is None or value <= highest)

    return test


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _number(text: str, _upper: bool) -> float:
    try:
        return float(text)
    except ValueError:
        raise QueryError(f"`{text}` is not a number") from None


def _instant(text: str, upper: bool) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise QueryError(f"`{text}` is not a date") from None
    if upper and re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        # Search engines round an inclusive upper end up in this way.
        moment += timedelta(days=1) - timedelta(microseconds=1)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _seconds(value: Any) -> float | None:
    if isinstance(value, int | float):
        return value
    try:
        return datetime.fromisoformat(value).timestamp()
    except (TypeError, ValueError):
        return None
