"""Custom properties whose names contain dots, kept flat or as nested objects. The functions are pure.

v1's documentation says that a dot nests. Nobody has recorded what v2 makes of such a name, so the site's behaviour says
which form it has, and both forms are found here.
"""

from __future__ import annotations

from typing import Any


def with_properties(custom: Any, changes: dict[str, Any], *, nested: bool) -> dict[str, Any]:
    """Return custom properties with some of them set; `nested` makes objects of the parts of dotted names."""
    result: dict[str, Any] = dict(custom) if isinstance(custom, dict) else {}
    for name, value in changes.items():
        if not nested:
            result[name] = value
            continue
        *parents, last = name.split(".")
        place = result
        for parent in parents:
            inner = place.get(parent)
            place[parent] = place = dict(inner) if isinstance(inner, dict) else {}
        place[last] = value
    return result


def flat_properties(custom: Any, prefix: str = "") -> dict[str, Any]:
    """Return custom properties with nested ones under their dotted names; an empty object if there are none."""
    found: dict[str, Any] = {}
    for name, value in custom.items() if isinstance(custom, dict) else ():
        if isinstance(value, dict):
            found |= flat_properties(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found
