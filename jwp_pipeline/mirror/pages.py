"""Finds the keys of a page's elements and their problems. The functions are pure.

Put here what is noted about a page beside its text. mending.py changes the text of a page that PostgreSQL refuses, and
the names of arrays, keys and stamps are in jwplatform/shapes.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from jwp_pipeline.jwplatform.shapes import change_stamp, raw_key
from jwp_pipeline.mirror.mending import MendedPage
from jwp_pipeline.storable import clean

MAX_KEY_LENGTH = 255
MAX_VALUE_LENGTH = 500
# The field is part of an index entry, which PostgreSQL limits to a third of a page.
MAX_FIELD_LENGTH = 255


class Problem(NamedTuple):
    """A value that could not be stored as JWP sent it. `key` is the resource's key, or its position in the listing."""

    key: str
    field: str
    value: str
    problem: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """The keys and problems of a page."""

    keys: list[str | None]
    """The key of each element in order; None for an element without a usable key."""
    problems: list[Problem]

    @property
    def unusable(self) -> int:
        """The number of elements without a usable key."""
        return self.keys.count(None)


def key_of(element: Any) -> str | None:
    """Return the key of an element (v1 `key`, v2 `id`) as it is stored, or None if it has no usable key."""
    return usable_key(raw_key(element))


def usable_key(key: Any) -> str | None:
    """Return a key as it is stored: a non-empty text of up to 255 characters; None for anything else."""
    return clean(key) if isinstance(key, str) and 0 < len(key) <= MAX_KEY_LENGTH else None


def ledger(elements: Sequence[Any], page_number: int, known_keys: Sequence[str] | None = None) -> Ledger:
    """Return the keys of a page's elements, with a problem for each element without one.

    `known_keys` gives the keys if the elements do not contain them.
    """
    keys: list[str | None] = [key_of(element) for element in elements] if known_keys is None else [*known_keys]
    problems = [
        Problem(position(page_number, index), "key", _shown(elements[index]), _why_unusable(elements[index]))
        for index, key in enumerate(keys)
        if key is None
    ]
    return Ledger(keys, problems)


def newest_change(elements: Sequence[Any], *, until: datetime) -> datetime | None:
    """Return the newest change stamp (v1 `updated`, v2 `last_modified`) of the elements in UTC, or None.

    Stamps after `until` are ignored.
    """
    stamps = [stamp for element in elements if (stamp := change_stamp(element))]
    return max((stamp for stamp in stamps if stamp <= until), default=None)


def position(page_number: int, index: int) -> str:
    """Return the name of an element that has no key: its page and its place there, both counted from 1."""
    return f"page {page_number}, element {index + 1}"


def after_mending(entry: Ledger, page: MendedPage, page_number: int, refused: Mapping[int, str]) -> Ledger:
    """Return the ledger of a page with a problem for each value that was replaced and each element that was set aside.

    `refused` gives the reason for each element (by its position, counted from 0) that PostgreSQL does not accept even
    after mending. The keys of such elements still count as listed.
    """

    def name(index: int) -> str:
        return entry.keys[index] or position(page_number, index)

    replaced = [
        Problem(name(index), path[:MAX_FIELD_LENGTH], value[:MAX_VALUE_LENGTH], problem)
        for index, path, value, problem in page.replacements
    ]
    set_aside = [
        Problem(name(index), "", page.elements[index][:MAX_VALUE_LENGTH], f"cannot be stored: {reason}")
        for index, reason in refused.items()
    ]
    return Ledger(entry.keys, [*entry.problems, *replaced, *set_aside])


def _why_unusable(element: Any) -> str:
    if not isinstance(element, dict):
        return f"is not an object but {_json_type(element)}; set aside"
    return f"has no usable key (a non-empty text of up to {MAX_KEY_LENGTH} characters); set aside"


def _json_type(value: Any) -> str:
    names = {type(None): "null", bool: "a boolean", str: "a text", list: "a list"}
    return names.get(type(value), "a number")


def _shown(value: Any) -> str:
    try:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=True)
    except RecursionError:
        text = "(nested too deep to be shown)"
    return clean(text)[:MAX_VALUE_LENGTH]
