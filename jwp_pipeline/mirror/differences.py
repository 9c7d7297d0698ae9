"""Finds the values in which two versions of a resource differ. Put here what finds differences or shows them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final


class Absent(Enum):
    """The type of ABSENT."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT
"""Stands for a value that one of the two versions does not have, which is not the same as null."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that differs. `old` and `new` are JSON values, or ABSENT in the version that has none."""

    path: str
    """Where the value is, with a dot before each name inside an object, such as `custom.sms_acl`."""
    old: Any
    new: Any

    @property
    def in_words(self) -> tuple[str, str]:
        """The old and the new value as JSON text; `(none)` where there is none."""
        return _text(self.old), _text(self.new)


def differences(old: str | None, new: str | None) -> tuple[Difference, ...]:
    """Return the values that differ between two JSON texts, in the order of their names; nothing if one is missing.

    Objects are compared name by name, and everything else as a whole: a list is one value. If Python cannot read one
    of the texts, because it is nested too deeply or has a number of thousands of digits, they are compared as texts.
    """
    if old is None or new is None:
        return ()
    try:
        return tuple(_differing(json.loads(old), json.loads(new)))
    except (RecursionError, ValueError):
        return (Difference("(all)", old, new),) if old != new else ()


def _differing(old: Any, new: Any) -> Iterator[Difference]:
    pairs = [("", old, new)]
    while pairs:
        path, old, new = pairs.pop()
        if isinstance(old, dict) and isinstance(new, dict):
            names = sorted(old.keys() | new.keys(), reverse=True)
            inside = f"{path}." if path else ""
            pairs += [(f"{inside}{name}", old.get(name, ABSENT), new.get(name, ABSENT)) for name in names]
        elif _text(old) != _text(new):
            yield Difference(path, old, new)


def _text(value: Any) -> str:
    return "(none)" if value is ABSENT else json.dumps(value, ensure_ascii=False, sort_keys=True)


def shortened(text: str, most: int) -> str:
    """Return a text of at most `most` characters, with an ellipsis in the place of what is left out in the middle."""
    if len(text) <= most:
        return text
    kept = most - 1
    return f"{text[: (kept + 1) // 2]}…{text[len(text) - kept // 2 :]}"
