"""Reads one resource field by field, and collects a problem for every field that cannot be read.

Put here how properties are found and problems are collected; fields.py and datetimes.py read single values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, TypeVar

from jwp_pipeline.jwplatform.properties import Unreadable, property_value
from jwp_pipeline.media.mapping.datetimes import date_time
from jwp_pipeline.media.mapping.fields import as_text, integer
from jwp_pipeline.media.mapping.results import KEEP, Keep, Problem
from jwp_pipeline.storable import clean

MAX_SHOWN = 500

T = TypeVar("T")
_ABSENT: Final = object()
# Most values of properties are those of many resources. Longer ones are left out, to bound the memory.
_KEPT_VALUES, _LONGEST_KEPT = 16_384, 100


def _date_time_or_none(text: str) -> datetime | None:
    return date_time(text) if text else None


@lru_cache(_KEPT_VALUES)
def _read_once(raw: str, types: tuple[str, ...], read: Callable[[str], Any]) -> Any:
    """Read a property whose value was probably read before. Only immutable results may be shared in this way."""
    return read(property_value(raw, types))


class Reading:
    """Reads the fields of one resource. It holds the custom properties, and the problems found so far.

    `custom` is KEEP if the properties could not be read at all; every single property then is KEEP, too.
    """

    __slots__ = ("_custom", "problems")

    def __init__(self, custom: Mapping[str, Any] | Keep) -> None:
        self._custom = custom
        self.problems: list[Problem] = []

    def note(self, field: str, raw: Any, problem: str) -> None:
        """Add a problem of a field, with the value that was found there."""
        self.problems.append(Problem(field, as_text(raw)[:MAX_SHOWN], problem[:MAX_SHOWN]))

    def field(self, field: str, raw: Any, read: Callable[[Any], T], default: T) -> T | Keep:
        """Read a field of the resource itself: `default` if it is absent or null, KEEP if it cannot be read."""
        if raw is None:
            return default
        if isinstance(raw, Keep):
            return raw
        try:
            return read(raw)
        except Unreadable as unreadable:
            self.note(field, raw, str(unreadable))
            return KEEP

    def text(self, field: str, raw: Any) -> str | Keep:
        """Read a text without stripping it. A value of another type is converted to text, and a problem is noted."""
        if isinstance(raw, str):
            return clean(raw)
        if raw is None:
            return ""
        if isinstance(raw, Keep):
            return raw
        self.note(field, raw, "not a text")
        return as_text(raw)

    def property(self, name: str, types: tuple[str, ...], read: Callable[[str], T], default: T) -> T | Keep:
        """Return the value of a custom property; `default` if it is absent, and KEEP if it is null or cannot be read.

        `read` is a pure function, and its result is immutable.
        """
        if self._custom is KEEP:
            return KEEP
        raw = self._custom.get(name, _ABSENT)
        if raw is _ABSENT:
            return default
        try:
            if isinstance(raw, str) and len(raw) <= _LONGEST_KEPT:
                kept: T = _read_once(raw, types, read)
                return kept
            return read(property_value(raw, types))
        except Unreadable as unreadable:
            self.note(name, raw, str(unreadable))
            return KEEP

    def sms_id(self, name: str, word: str) -> int | Keep | None:
        """Read an id of the SMS. Unlike other properties, a null id is the same as an absent one."""
        if self._custom is not KEEP and self._custom.get(name) is None:
            return None
        return self.property(name, (word,), integer, None)

    def sms_time(self) -> datetime | Keep | None:
        """Read when the SMS last changed the resource; None if the property is absent or empty."""
        return self.property("sms_last_updated_at", ("last_updated_at",), _date_time_or_none, None)

    def has_property(self, name: str) -> bool:
        """Return whether the property exists, readable or not; also True if the properties could not be read."""
        return self._custom is KEEP or name in self._custom

    def has_any_property(self) -> bool:
        """Return whether any property exists; also True if the properties could not be read."""
        return self._custom is KEEP or bool(self._custom)

    def raw_property(self, name: str) -> Any:
        """Return the JSON value of a property; None if it is absent or the properties could not be read."""
        return None if self._custom is KEEP else self._custom.get(name)
