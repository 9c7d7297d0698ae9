"""How v2's `q` compares one value, by the type of its attribute. Pure.

Types: `keyword` (as it is, case and all), `text` (by words, whatever their case), `number`, `boolean`, and
`instant` (epoch seconds or ISO text; a bare date means its whole day, no zone means UTC).
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
    """Whether a value of this type matches `text`, a quoted phrase or not. Raises QueryError."""
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
    """Whether a value lies between two ends, which belong to the range; `*` is open. Raises QueryError."""
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
        # As search engines round an inclusive upper end.
        moment += timedelta(days=1) - timedelta(microseconds=1)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _seconds(value: Any) -> float | None:
    if isinstance(value, int | float):
        return value
    try:
        return datetime.fromisoformat(value).timestamp()
    except (TypeError, ValueError):
        return None
