"""Reading one resource, field by field, while collecting what cannot be read.

Custom properties have the form `type:value:`, so that JWP's *contains* search finds exact values. Put here how
properties are found and problems are collected; single values are read in fields.py and datetimes.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

from jwp_pipeline.media.mapping.datetimes import date_time
from jwp_pipeline.media.mapping.fields import Unreadable, as_text, clean, integer
from jwp_pipeline.media.mapping.results import KEEP, Keep, Problem

MAX_SHOWN = 500

T = TypeVar("T")
_ABSENT: Final = object()


def property_value(raw: Any, types: tuple[str, ...]) -> str:
    """The value inside `type:value:`, for one of the type words; it may hold colons but no line feed.

    The same as the SMS's own `^(?P<type>[^:]+):(?P<value>.*):$`: one line feed at the very end is dropped.
    """
    if isinstance(raw, str):
        text = raw.removesuffix("\n")
        for word in types:
            prefix = word + ":"
            if text.startswith(prefix) and text.endswith(":", len(prefix)) and "\n" not in text:
                return clean(text[len(prefix) : -1])
    raise Unreadable("not of the form " + " or ".join(f"{word}:value:" for word in types))


def _date_time_or_none(text: str) -> datetime | None:
    return date_time(text) if text else None


class Reading:
    """The state of reading one resource: its custom properties, and the problems so far.

    `custom` is KEEP where it could not be read at all; each of its properties then is KEEP too.
    """

    __slots__ = ("_custom", "problems")

    def __init__(self, custom: Mapping[str, Any] | Keep) -> None:
        self._custom = custom
        self.problems: list[Problem] = []

    def note(self, field: str, raw: Any, problem: str) -> None:
        """Add a problem of a field, with what stands there."""
        self.problems.append(Problem(field, as_text(raw)[:MAX_SHOWN], problem[:MAX_SHOWN]))

    def field(self, field: str, raw: Any, read: Callable[[Any], T], default: T) -> T | Keep:
        """A field of the resource itself: `default` when it is absent or null, KEEP when it cannot be read."""
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
        """A text as it is, not stripped; anything else is taken as its text, and noted."""
        if isinstance(raw, str):
            return clean(raw)
        if raw is None:
            return ""
        if isinstance(raw, Keep):
            return raw
        self.note(field, raw, "not a text")
        return as_text(raw)

    def property(self, name: str, types: tuple[str, ...], read: Callable[[str], T], default: T) -> T | Keep:
        """A custom property: `default` when it is absent, KEEP when it cannot be read, null included."""
        if self._custom is KEEP:
            return KEEP
        raw = self._custom.get(name, _ABSENT)
        if raw is _ABSENT:
            return default
        try:
            return read(property_value(raw, types))
        except Unreadable as unreadable:
            self.note(name, raw, str(unreadable))
            return KEEP

    def sms_id(self, name: str, word: str) -> int | Keep | None:
        """An id of the SMS: like any property, but null is the same as absent."""
        if self._custom is not KEEP and self._custom.get(name) is None:
            return None
        return self.property(name, (word,), integer, None)

    def sms_time(self) -> datetime | Keep | None:
        """When the SMS changed it last; None when that is absent or empty."""
        return self.property("sms_last_updated_at", ("last_updated_at",), _date_time_or_none, None)

    def has_property(self, name: str) -> bool:
        """Whether the property is there, readable or not; unknown counts as there."""
        return self._custom is KEEP or name in self._custom

    def has_any_property(self) -> bool:
        """Whether there is any property; unknown counts as some."""
        return self._custom is KEEP or bool(self._custom)

    def raw_property(self, name: str) -> Any:
        """What stands in a property, as JSON; None when it is absent."""
        return None if self._custom is KEEP else self._custom.get(name)
