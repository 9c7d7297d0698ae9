"""Reads custom properties, whose values have the form `type:value:` so that JWP's *contains* search finds exact values.

The form is the SMS's own. Put here how such a value is found and read; media/mapping says what the values of items and
channels mean, and access/aces.py what an ACL does. The functions are pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jwp_pipeline.storable import clean


class Unreadable(ValueError):
    """Raised if a value cannot be read. The message says what is wrong without repeating the value."""


def property_value(raw: Any, types: tuple[str, ...]) -> str:
    """Return the value inside `type:value:` if the type is one of `types`. It may contain colons but no line feed.

    Like the SMS's own pattern, `^(?P<type>[^:]+):(?P<value>.*):$`, this ignores one line feed at the very end. Raises
    Unreadable for any other form.
    """
    if isinstance(raw, str):
        text = raw.removesuffix("\n")
        for word in types:
            prefix = word + ":"
            if text.startswith(prefix) and text.endswith(":", len(prefix)) and "\n" not in text:
                return clean(text[len(prefix) : -1])
    raise Unreadable("not of the form " + " or ".join(f"{word}:value:" for word in types))


def property_of(custom: Any, name: str) -> Any:
    """Return the value of a custom property, or None. Its name may have dots: the value is then found nested as well.

    v1's documentation says that a dot nests; what v2 makes of such a name is not known.
    """
    value: Any = custom
    if isinstance(custom, Mapping) and name in custom:
        return custom[name]
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def with_properties(custom: Mapping[str, Any], changes: Mapping[str, str]) -> dict[str, Any]:
    """Return custom properties with some of them set. One that is nested stays so; new ones are flat."""
    result = dict(custom)
    for name, value in changes.items():
        first, dot, rest = name.partition(".")
        inner = result.get(first)
        if dot and name not in result and isinstance(inner, Mapping):
            result[first] = with_properties(inner, {rest: value})
        else:
            result[name] = value
    return result
