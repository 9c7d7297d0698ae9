"""Reads ids of v2 as numbers, so that ranges of ids can be cut. Everything here is pure."""

from __future__ import annotations

import string
from dataclasses import dataclass
from itertools import pairwise

# In ASCII order, because ids are compared as text.
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
ID_LENGTH = 8
ALL_IDS: int = len(ALPHABET) ** ID_LENGTH


@dataclass(frozen=True, slots=True)
class IdRange:
    """The ids from `first` to `last`, both included. Ids are read as base-62 numbers."""

    first: int = 0
    last: int = ALL_IDS - 1

    @property
    def size(self) -> int:
        """The number of possible ids in the range."""
        return self.last - self.first + 1

    @property
    def bounds(self) -> tuple[str, str]:
        """The first and last id as text. An id between them in ASCII order lies in the range."""
        return _text(self.first), _text(self.last)

    @property
    def query(self) -> str:
        """The range as a condition for v2's `q`."""
        return "id:[{} TO {}]".format(*self.bounds)

    def cut(self, parts: int) -> list[IdRange]:
        """Cut the range into parts of nearly equal size, in order. There are never more parts than ids."""
        parts = min(parts, self.size)
        edges = [self.first + self.size * part // parts for part in range(parts + 1)]
        return [IdRange(first, end - 1) for first, end in pairwise(edges)]

    def split(self, share: float) -> tuple[IdRange, IdRange]:
        """Split off the first `share` of the range. It needs at least two ids, and each part gets at least one."""
        size = min(max(1, int(self.size * share)), self.size - 1)
        return IdRange(self.first, self.first + size - 1), IdRange(self.first + size, self.last)


def number_of(text: str) -> int | None:
    """Return the number of an id, or None if the text is not an id."""
    if len(text) != ID_LENGTH or not set(text) <= _DIGITS.keys():
        return None
    number = 0
    for character in text:
        number = number * len(ALPHABET) + _DIGITS[character]
    return number


_DIGITS = {character: value for value, character in enumerate(ALPHABET)}


def _text(number: int) -> str:
    characters = []
    for _ in range(ID_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        characters.append(ALPHABET[digit])
    return "".join(reversed(characters))
