"""Parses the answers of JW Platform: their JSON, the elements of a listing, a single resource.

The functions are pure: they turn bytes into values or raise MalformedAnswer. They do not check the elements of a
listing. refusals.py decides which error an answer stands for.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jwp_pipeline import json_text
from jwp_pipeline.errors import MalformedAnswer

# The largest integer that a column of our tables can hold. No library comes close to it.
_MOST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, decoded as far as it can be."""

    status: int
    headers: Mapping[str, str]
    text: str
    """The body as received, without a byte order mark."""
    document: Any
    """The parsed JSON; None if `flaw` is set, and for the JSON value null."""
    flaw: MalformedAnswer | None = None


@dataclass(frozen=True, slots=True)
class Slice:
    """One answer to a list call. Its elements have not been checked."""

    text: str
    """The body as received."""
    items: list[Any]
    total: int
    page_length: int
    """The largest number of elements it could have held: the length that JWP echoes, or else the requested one."""

    @property
    def most_pages(self) -> int:
        """The number of pages after which to stop, if this is the first slice, whatever the later slices say.

        It leaves room for short pages and for a library that grows while it is read.
        """
        return 2 * math.ceil(self.total / self.page_length) + 10


def parse(body: bytes | bytearray) -> tuple[str, Any]:
    """Return the text and the value of a JSON body in UTF-8, with or without a byte order mark.

    It accepts everything that Python's parser accepts, including `NaN` and infinities, which are not valid JSON: one
    video with such a duration must not make the rest of its page unreadable. Raises MalformedAnswer for anything else,
    including JSON that is nested too deeply.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise MalformedAnswer("the answer is not UTF-8.") from None
    try:
        return text, json_text.loads(text)
    except (ValueError, RecursionError) as error:
        what = "nothing" if not text.strip() else _kind(error)
        raise MalformedAnswer(f"the answer should be JSON and is {what}.") from None


def decode(status: int, headers: Mapping[str, str], body: bytes | bytearray) -> Answer:
    """Decode a body of any kind. It never raises an exception."""
    try:
        text, document = parse(body)
    except MalformedAnswer as flaw:
        return Answer(status, headers, body.decode("utf-8-sig", errors="replace"), None, flaw)
    return Answer(status, headers, text, document)


def slice_of(answer: Answer, array: str, length_field: str, asked_length: int) -> Slice:
    """Return the elements and the total of a list answer. Raises MalformedAnswer."""
    document = answer.document
    items = document.get(array) if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise MalformedAnswer(f'the answer has no list "{array}".')
    total = _whole_number(document.get("total"))
    if total is None:
        raise MalformedAnswer(f'the answer has a list "{array}" and no total that is a whole number.')
    # The echoed length wins over the requested one, because JWP may have a maximum that is not documented.
    length = max(_whole_number(document.get(length_field)) or asked_length, len(items))
    return Slice(answer.text, items, total, length)


def object_of(value: Any, key: str, key_field: str) -> dict[str, Any]:
    """Return `value` if it is an object with the requested key. Raises MalformedAnswer."""
    if not isinstance(value, dict) or value.get(key_field) != key:
        raise MalformedAnswer("the answer is not about the resource that was asked for.")
    return value


def _whole_number(value: Any) -> int | None:
    """Return the value if it is an integer that can count resources, else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST else None


def _kind(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"broken at character {error.pos}"
    return "nested too deep"
