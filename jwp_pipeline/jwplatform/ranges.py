"""Cutting a listing that is bigger than v2's window into ranges of id.

A v2 query returns no more than its first 10,000 results. Ranges of id partition a listing, and do not shift while
the library changes: a resource never leaves its range. Requests are what a listing costs, so a cut should ask for
about as many pages as the listing fills:

- JWP draws ids at random, evenly over 62^8. The total of the uncut listing therefore tells what a range will hold.
- Ranges are made to fill one page each, with some room for chance: 50,000 resources take about 56 requests, one of
  them for the total. Ranges of several pages would take 53, but pages shift under a reader, and lose or repeat what
  stands in no certain order at their ends; a range that comes in one answer cannot.
- A server may cap the total it announces at the window. Then the first range is a pilot, 1/62 of all ids, which
  tells the density of the rest.
- Ranges are cut off one at a time, each by what is known by then: what is announced and not yet read, or, without
  a believable total, what was found so far, is taken to be spread evenly over the ids not yet read.
- A range that holds far less or more than was expected shows that ids are not spread evenly. From then on ranges are
  made as big as can be read, lest many be empty. One that is bigger says so with its first page, which is lost, and
  is cut again. Uneven ids cost more requests, and nothing else.

Pure: requests and pages are v2.py's.
"""

from __future__ import annotations

import math
import string
from dataclasses import dataclass
from itertools import pairwise

from jwp_pipeline.errors import MalformedAnswer

# ASCII order, which is how ids compare as text.
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
ID_LENGTH = 8
ALL_IDS: int = len(ALPHABET) ** ID_LENGTH

AIM = 0.7
"""Share of the window that a range should fill at most: the rest is for chance, and for what is added meanwhile."""
PARTS_OF_TOO_BIG = 3
"""Parts of a range that turns out too big: the ids in it are not spread evenly, so most parts are likely to be empty.
Tried on sequential, hexadecimal and lower-case ids: 2 loses more first pages, 4 and more read more empty ranges."""
MOST_RANGES = 20_000
"""Ranges of a thousand resources asked for at most in one listing, and as many more as pages are shorter: nearly twenty
million resources, or a server that makes no sense."""


@dataclass(frozen=True, slots=True)
class IdRange:
    """The ids from `first` to `last`, both included, as numbers to the base 62."""

    first: int = 0
    last: int = ALL_IDS - 1

    @property
    def size(self) -> int:
        """How many ids there can be in it."""
        return self.last - self.first + 1

    @property
    def bounds(self) -> tuple[str, str]:
        """First and last id as JWP writes them. An id between them, by ASCII order, lies in the range."""
        return _text(self.first), _text(self.last)

    @property
    def query(self) -> str:
        """The range as v2's `q` wants it."""
        return "id:[{} TO {}]".format(*self.bounds)

    def cut(self, parts: int) -> list[IdRange]:
        """The range in parts of nearly equal size, in order; no more parts than ids."""
        parts = min(parts, self.size)
        edges = [self.first + self.size * part // parts for part in range(parts + 1)]
        return [IdRange(first, end - 1) for first, end in pairwise(edges)]

    def split(self, share: float) -> tuple[IdRange, IdRange]:
        """The first `share` of the range, and the rest; both hold an id. For ranges of two ids and more."""
        size = min(max(1, int(self.size * share)), self.size - 1)
        return IdRange(self.first, self.first + size - 1), IdRange(self.first + size, self.last)


class RangeWalk:
    """Which range to read next, given what the ranges so far have announced.

        while (ids := walk.next_range()) is not None:
            # ask for its first page; then walk.too_big(ids, total), or read it all and walk.read(ids, total)

    Every id is in exactly one of the ranges that are read. Raises MalformedAnswer when the totals make no sense:
    it is bounded, whatever a server announces.
    """

    def __init__(self, total: int, window: int, page_length: int) -> None:
        """`total` as the uncut listing announces it: at least the window, exactly it when it may be capped."""
        self._announced = total if total > window else None
        self._page = _expected_for(page_length)
        self._most_ranges = MOST_RANGES * max(1, 1000 // page_length)
        self._most = AIM * window
        self._even = True
        self._steps = 0
        self._ids_read = 0
        self._space_left = ALL_IDS
        # A stack: the next range comes last.
        self._pending = [IdRange()]
        if self._announced is None:
            pilot = IdRange().cut(len(ALPHABET))[0]
            self._pending = [IdRange(pilot.last + 1), pilot]

    def next_range(self) -> IdRange | None:
        """The next range to ask for, small enough as far as is known; None at the end."""
        if not self._pending:
            return None
        self._steps += 1
        if self._steps > self._most_ranges:
            raise MalformedAnswer(
                f"the totals that JW Platform announces contradict each other: after {self._most_ranges} ranges of id "
                "the end is not in sight."
            )
        ids = self._pending.pop()
        expected = ids.size * self._density
        fill = self._page if self._even else self._most
        if expected > fill and ids.size > 1:
            ids, rest = ids.split(1 / math.ceil(expected / fill))
            self._pending.append(rest)
        return ids

    def too_big(self, ids: IdRange, total: int) -> None:
        """Cut a range that announced more than can be read."""
        if ids.size == 1:
            raise MalformedAnswer(f"JW Platform announces {total} resources with one id.")
        self._even = False
        self._pending += reversed(ids.cut(PARTS_OF_TOO_BIG))

    def read(self, ids: IdRange, total: int) -> None:
        """Note that a range has been read, and announced `total` resources."""
        expected = ids.size * self._density
        if expected and not expected / 2 < total < expected * 2:
            self._even = False
        self._ids_read += total
        self._space_left -= ids.size

    @property
    def at_end(self) -> bool:
        """Whether no range is left."""
        return not self._pending

    @property
    def ids_read(self) -> int:
        """Resources in the ranges read, as they announced them."""
        return self._ids_read

    @property
    def estimate(self) -> int:
        """The size of the whole listing, by what is known so far."""
        if self._announced is not None:
            return max(self._announced, self._ids_read)
        return self._ids_read + round(self._space_left * self._density)

    @property
    def _density(self) -> float:
        """Resources to expect for each id not yet read."""
        found = self._ids_read / max(1, ALL_IDS - self._space_left)
        if self._announced is None:
            return found
        left = max(0, self._announced - self._ids_read) / max(1, self._space_left)
        # The smaller of the two makes the bigger ranges; and a total that is not true soon has no say.
        return left if self._even else min(left, found)


def _expected_for(page_length: int) -> float:
    """How many resources to expect of a range that should fit one page but for two standard deviations.

    The number in a range varies by the square root of what is expected: this solves x + 2·√x = page_length.
    """
    return (math.sqrt(page_length + 1) - 1) ** 2


def _text(number: int) -> str:
    characters = []
    for _ in range(ID_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        characters.append(ALPHABET[digit])
    return "".join(reversed(characters))
