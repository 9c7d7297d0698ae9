r"""Replaces what `jsonb` refuses in the text of a page, and leaves everything else exactly as JWP sent it.

PostgreSQL refuses `\u0000`, lone surrogates, numbers beyond the range of `numeric`, and NaN and infinities, which are
not valid JSON. None of these may stop a sync: such characters become U+FFFD, such numbers become texts, and each
replacement is reported. The text is read token by token instead of being parsed, so that numbers keep all their digits
and values may be nested to any depth. Put here what is done to a page that PostgreSQL refuses. The functions are pure.

A number must not become null, because null means that a field has no value: the item would lose its last good one, and
a video whose properties cannot be read would become as public as one without an ACL. A text such as "NaN" is unreadable
wherever a number or an object belongs.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

CHARACTERS = "holds characters that PostgreSQL refuses; replaced by U+FFFD"
NUMBER = "is a number that PostgreSQL cannot store; stored as a text"

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_TOKEN = re.compile(r'"(?:[^"\\]+|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
# A pair of surrogates is one character and stays; the groups after it match what may have to be replaced.
_ESCAPE = re.compile(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u([dD][89a-fA-F]..|0000)|\\.", re.DOTALL)
_LITERALS = frozenset({"true", "false", "null"})

# What `numeric` can hold: digits before and after the decimal point (measured with PostgreSQL 18).
_MOST_DIGITS = 131_072
_MOST_DECIMALS = 16_383
# How much of such a number is stored. The sign of the omission makes sure that the rest is not read as a number.
_MOST_SHOWN = 100


class Replacement(NamedTuple):
    """One value that was replaced. `element` is its element's position in the page, counted from 0."""

    element: int
    path: str
    """Where the value is inside the element, such as `custom.list[0]`."""
    value: str
    problem: str


@dataclass(slots=True)
class MendedPage:
    """The text of a page in pieces, and what was replaced in its elements."""

    before: str = ""
    elements: list[str] = field(default_factory=list)
    """The text of each element."""
    sent: list[str] = field(default_factory=list)
    """The text of each element as it was before."""
    after: str = ""
    replacements: list[Replacement] = field(default_factory=list)

    def text(self, *, without: Collection[int] = ()) -> str:
        """Return the whole text, with null in the place of the elements at these positions."""
        elements = ("null" if index in without else element for index, element in enumerate(self.elements))
        return f"{self.before}{','.join(elements)}{self.after}"


def mended(body: str, array: str) -> MendedPage:
    """Return the page with the text `body`, whose elements are in the list `array`, in a form that `jsonb` accepts.

    `body` is a JSON object, as far as Python's parser is concerned. An element can still be refused, for example
    because it is too large or nested too deeply for PostgreSQL.
    """
    scan = _Scan(body, array)
    for token in _TOKEN.finditer(body):
        scan.take(token[0], token.start(), token.end())
    return scan.page()


def has_unstorable_escape(text: str) -> bool:
    """Whether a JSON text has an escape for a NUL character or for half of a surrogate pair."""
    return "\\u" in text and any(escape[1] for escape in _ESCAPE.finditer(text))


class _Container:
    """An object or a list that the scan is inside of, and where in it the scan is."""

    __slots__ = ("index", "is_list", "name", "name_comes")

    def __init__(self, *, is_list: bool) -> None:
        self.is_list = is_list
        self.name_comes = not is_list
        self.name = '""'
        """The current name with its quotation marks, if this is an object."""
        self.index = 0

    def step(self) -> str:
        return f"[{self.index}]" if self.is_list else f".{json.loads(self.name)}"


class _Scan:
    """Reads the tokens of a page, and notes where its elements are and which tokens must be replaced."""

    def __init__(self, body: str, array: str) -> None:
        self._body = body
        self._array = array
        self._open: list[_Container] = []
        self._edits: list[tuple[int, int, str]] = []
        """The replaced stretches of the body in order: where each begins and ends, and its new text."""
        self._replacements: list[Replacement] = []
        self._start = self._end = len(body)
        """Where the content of the array begins and ends."""
        self._spans: list[tuple[int, int]] = []
        """Where each element begins and ends."""
        self._element_is_open = False

    def take(self, text: str, start: int, end: int) -> None:
        """Read the next token: a name, text, number, literal or punctuation mark, which stands at `start` to `end`."""
        if text in "{[":
            self._value_begins(start)
            self._open.append(_Container(is_list=text == "["))
            if self._in_array:
                # If the object names the array twice, the last one counts, as it does for every parser.
                self._start, self._spans, self._replacements = end, [], []
        elif text in "}]":
            if self._in_array:
                self._end = start
            self._open.pop()
            self._value_ends(end)
        elif text == ",":
            inner = self._open[-1]
            inner.index += 1
            inner.name_comes = not inner.is_list
        elif text == ":":
            self._open[-1].name_comes = False
        elif self._open and self._open[-1].name_comes:
            self._open[-1].name = self._string(text, start, end, self._open[2:-1])
        else:
            self._value_begins(start)
            if text[0] == '"':
                self._string(text, start, end, self._open[2:])
            elif text not in _LITERALS and not _is_storable_number(text):
                self._replace(start, end, _number_as_text(text), self._open[2:], text, NUMBER)
            self._value_ends(end)

    @property
    def _in_array(self) -> bool:
        """Whether the scan is directly inside the array, or inside another list in its place."""
        return len(self._open) == 2 and self._open[1].is_list and json.loads(self._open[0].name) == self._array

    def _value_begins(self, start: int) -> None:
        if self._in_array:
            self._spans.append((start, start))
            self._element_is_open = True

    def _value_ends(self, end: int) -> None:
        if self._in_array:
            self._spans[-1] = (self._spans[-1][0], end)
            self._element_is_open = False

    def _string(self, text: str, start: int, end: int, place: list[_Container]) -> str:
        """Return a name or text, with its quotation marks, as PostgreSQL can store it."""
        storable = _ESCAPE.sub(_storable_escape, text) if "\\u" in text else text
        if storable != text:
            self._replace(start, end, storable, place, json.loads(storable), CHARACTERS)
        return storable

    def _replace(self, start: int, end: int, new: str, place: list[_Container], value: str, problem: str) -> None:
        self._edits.append((start, end, new))
        if self._element_is_open:
            path = "".join(container.step() for container in place).removeprefix(".")
            self._replacements.append(Replacement(len(self._spans) - 1, path, value, problem))

    def page(self) -> MendedPage:
        return MendedPage(
            self._edited(0, self._start),
            [self._edited(start, end) for start, end in self._spans],
            [self._body[start:end] for start, end in self._spans],
            self._edited(self._end, len(self._body)),
            self._replacements,
        )

    def _edited(self, start: int, end: int) -> str:
        pieces, position = [], start
        first, last = (bisect_left(self._edits, (place,)) for place in (start, end))
        for edit_start, edit_end, new in self._edits[first:last]:
            pieces += [self._body[position:edit_start], new]
            position = edit_end
        return "".join([*pieces, self._body[position:end]])


def _storable_escape(escape: re.Match[str]) -> str:
    return _REPLACEMENT if escape[1] else escape[0]


def _number_as_text(token: str) -> str:
    return f'"{token}"' if len(token) <= _MOST_SHOWN else f'"{token[:_MOST_SHOWN]}\N{HORIZONTAL ELLIPSIS}"'


def _is_storable_number(text: str) -> bool:
    if len(text) < _MOST_DECIMALS and "e" not in text and "E" not in text:
        return text[-1].isdigit()  # NaN, Infinity and -Infinity are no numbers to PostgreSQL.
    try:
        number = Decimal(text)
    except InvalidOperation:
        return False
    exponent: Any = number.as_tuple().exponent
    return number.is_finite() and exponent >= -_MOST_DECIMALS and (not number or number.adjusted() < _MOST_DIGITS)
