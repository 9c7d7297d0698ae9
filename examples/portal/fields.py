"""The fields of an item that can be edited, as texts of a form and back.

A list has one entry a line, because tags and the names of groups may contain blanks and commas. The functions are pure.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from jwp_pipeline.record import MediaItem


def _text(value: str) -> str:
    return value.replace("\r\n", "\n").replace("\r", "\n")


def _line(value: str) -> str:
    return " ".join(_text(value).split("\n"))


def _tick(value: bool) -> str:
    return "on" if value else ""


def _lines(text: str) -> list[str]:
    return [line for line in (line.strip() for line in text.split("\n")) if line]


_NAMES: tuple[Callable[[Any], str], Callable[[str], Any]] = (lambda names: _text("\n".join(names)), _lines)
FIELDS: Mapping[str, tuple[Callable[[Any], str], Callable[[str], Any]]] = {
    "title": (_line, _line),
    "description": (_text, _text),
    "tags": _NAMES,
    "view_is_public": (_tick, bool),
    "view_is_signed_in": (_tick, bool),
    "view_crsids": _NAMES,
    "view_lookup_groups": _NAMES,
    "view_lookup_insts": _NAMES,
}
"""Columns of MediaItem: how a value becomes the text of a form, and how a text becomes a value."""


def shown(item: MediaItem) -> dict[str, str]:
    """Return the texts that the form of an item begins with."""
    return {name: show(getattr(item, name)) for name, (show, _) in FIELDS.items()}


def typed(form: Mapping[str, str]) -> dict[str, str]:
    """Return the texts of a form that was sent. Browsers send line feeds as CR LF, and no box that is not ticked."""
    return {name: _text(form.get(name, "")) for name in FIELDS}


def opened(form: Mapping[str, str]) -> dict[str, str]:
    """Return the texts that the form began with, which it carries along; none of them if they cannot be read."""
    try:
        carried = json.loads(form.get("opened", ""))
    except (ValueError, RecursionError):
        carried = None
    return {name: str(carried.get(name, "")) for name in FIELDS} if isinstance(carried, dict) else {}


def merged(begun: Mapping[str, str], typed: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
    """Return what was typed, and the item's present text for fields in which nothing was typed."""
    return {name: typed[name] if typed[name] != begun.get(name) else now[name] for name in FIELDS}


def changes(begun: Mapping[str, str], typed: Mapping[str, str]) -> dict[str, Any]:
    """Return the new values of the columns whose texts were changed, so that nothing else is written."""
    return {name: read(typed[name]) for name, (_, read) in FIELDS.items() if typed[name] != begun.get(name)}
