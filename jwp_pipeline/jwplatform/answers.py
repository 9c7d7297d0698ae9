"""What an answer holds: its JSON, the elements of a listing, a single resource.

Pure: bytes in, values out, or MalformedAnswer. Which error an answer is stands in refusals.py. The elements of a
listing are taken as they come.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jwp_pipeline import json_text
from jwp_pipeline.errors import MalformedAnswer

# What a column of our tables holds; no library is near it.
_MOST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, decoded as far as it can be."""

    status: int
    headers: Mapping[str, str]
    text: str
    """The body as received, without a byte order mark."""
    document: Any
    """The parsed JSON; None also when `flaw` says that there is none."""
    flaw: MalformedAnswer | None = None


@dataclass(frozen=True, slots=True)
class Slice:
    """One answer to a list call, its elements unjudged."""

    text: str
    """The body as received."""
    items: list[Any]
    total: int
    page_length: int
    """The most elements it could have held: what JWP echoes, else what was asked for."""

    @property
    def most_pages(self) -> int:
        """Where to stop paging after this first slice, whatever the later ones say.

        Leaves room for short pages, and for a library that grows while it is read.
        """
        return 2 * math.ceil(self.total / self.page_length) + 10


def parse(body: bytes | bytearray) -> tuple[str, Any]:
    """Text and value of a JSON body: UTF-8, with or without a byte order mark.

    Takes what Python's parser takes, so `NaN` and infinities too, though neither is JSON: one video with such
    a duration must not hide the rest of its page. Raises MalformedAnswer for all else, including what is nested
    too deep.
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
    """Decode a body of any kind; never raises."""
    try:
        text, document = parse(body)
    except MalformedAnswer as flaw:
        return Answer(status, headers, body.decode("utf-8-sig", errors="replace"), None, flaw)
    return Answer(status, headers, text, document)


def slice_of(answer: Answer, array: str, length_field: str, asked_length: int) -> Slice:
    """The elements and the total of a list answer. Raises MalformedAnswer."""
    document = answer.document
    items = document.get(array) if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise MalformedAnswer(f'the answer has no list "{array}".')
    total = _whole_number(document.get("total"))
    if total is None:
        raise MalformedAnswer(f'the answer has a list "{array}" and no total that is a whole number.')
    # An echoed length is believed: JWP may have a maximum that nobody documents.
    length = max(_whole_number(document.get(length_field)) or asked_length, len(items))
    return Slice(answer.text, items, total, length)


def object_of(value: Any, key: str, key_field: str) -> dict[str, Any]:
    """An object that carries the key it was asked for. Raises MalformedAnswer."""
    if not isinstance(value, dict) or value.get(key_field) != key:
        raise MalformedAnswer("the answer is not about the resource that was asked for.")
    return value


def _whole_number(value: Any) -> int | None:
    """A JSON integer that can be a number of resources, or None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST else None


def _kind(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"broken at character {error.pos}"
    return "nested too deep"
