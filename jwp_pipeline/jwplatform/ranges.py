"""Cuts a listing that is bigger than v2's window into ranges of ids.

A v2 query returns at most its first 10,000 results. Ranges of ids divide a listing into parts that do not shift while
the library changes, because a resource never leaves its range. The cost of a listing is its requests, so the ranges
should need about as many pages as the listing fills:

- What was listed before tells best what a range will hold. With a census of the known ids, each range fills one page
  but for a little room: 100,000 resources take about 104 requests, whatever their ids look like (census.py).
- Without one, the total of the uncut listing predicts what a range will hold, because JWP draws ids at random, evenly
  over 62^8.
- Each range is made to fill one page, with some room for chance: 50,000 resources take about 56 requests, including one
  for the total. Ranges of several pages would take 53. But pages can shift while they are read, and resources that have
  no fixed order may then be lost or repeated where two pages meet. A range of one page cannot have this problem.
- A server may cap the announced total at the window. Then the first range is a pilot of 1/62 of all ids, which shows
  the density of the rest.
- Ranges are cut off one at a time, using everything that is known by then. The resources that were announced but not
  read yet are assumed to be spread evenly over the ids that are left. Without a reliable total, the density found so
  far is assumed to continue.
- A range that holds far less or far more than expected shows that ids are not spread evenly. From then on ranges are
  made as big as can be read, because small ones would often be empty. If a range is too big, its first page says so;
  that page is wasted, and the range is cut again. Uneven ids cost more requests, and nothing else.

Everything here is pure; v2.py sends the requests.
"""

from __future__ import annotations

import math

from jwp_pipeline.errors import MalformedAnswer
from jwp_pipeline.jwplatform.census import Census
from jwp_pipeline.jwplatform.ids import ALL_IDS, ALPHABET, IdRange

AIM = 0.7
"""The largest share of the window that a range should fill, with room for chance and for resources added meanwhile."""
PARTS_OF_TOO_BIG = 3
"""The number of parts that a range is cut into if it is too big. Its ids are not spread evenly, so most parts are
likely to be empty. In trials with sequential, hexadecimal and lower-case ids, 2 parts wasted more first pages, and 4 or
more gave more empty ranges."""
MOST_RANGES = 20_000
"""The largest number of ranges in one listing if a page holds a thousand resources; shorter pages allow more ranges in
proportion. This is enough for nearly twenty million resources; beyond that, the server's totals cannot be right."""


class RangeWalk:
    """Chooses which range to read next, from the totals that earlier ranges announced.

        while (ids := walk.next_range()) is not None:
            # Request its first page; then call walk.too_big(ids, total), or read it all and call walk.read(ids, total).

    Every id is in exactly one of the ranges that are read. The number of ranges is limited, whatever a server
    announces: MalformedAnswer is raised if the totals contradict each other.
    """

    def __init__(self, total: int, window: int, page_length: int, census: Census | None = None) -> None:
        """`total` is the announced size of the uncut listing: at least the window. If equal to it, it may be capped.

        `census` says which ids are known. It is used as long as it proves right.
        """
        self._page_length = page_length
        self._census = census if census is not None and census.is_of_use(page_length) else None
        self._announced = total if total > window else None
        self._page = _expected_for(page_length)
        self._most_ranges = MOST_RANGES * max(1, 1000 // page_length)
        self._most = AIM * window
        self._even = True
        self._steps = 0
        self._ids_read = 0
        self._space_left = ALL_IDS
        # This is a stack: the next range comes last.
        self._pending = [IdRange()]
        if self._announced is None and self._census is None:
            pilot = IdRange().cut(len(ALPHABET))[0]
            self._pending = [IdRange(pilot.last + 1), pilot]

    def next_range(self) -> IdRange | None:
        """Return the next range, which should be small enough as far as is known; None at the end."""
        if not self._pending:
            return None
        self._steps += 1
        if self._steps > self._most_ranges:
            raise MalformedAnswer(
                f"the totals that JW Platform announces contradict each other: after {self._most_ranges} ranges of id "
                "the end is not in sight."
            )
        ids = self._pending.pop()
        if self._census is not None:
            page = self._census.page_of(ids, self._page_length, self._announced)
            if page is not None:
                self._pending.append(IdRange(page.last + 1, ids.last))
            return page or ids
        expected = ids.size * self._density
        fill = self._page if self._even else self._most
        if expected > fill and ids.size > 1:
            ids, rest = ids.split(1 / math.ceil(expected / fill))
            self._pending.append(rest)
        return ids

    def too_big(self, ids: IdRange, total: int) -> None:
        """Cut a range again, because it announced more resources than can be read."""
        if ids.size == 1:
            raise MalformedAnswer(f"JW Platform announces {total} resources with one id.")
        self._even = False
        self._census = None
        self._pending += reversed(ids.cut(PARTS_OF_TOO_BIG))

    def read(self, ids: IdRange, total: int) -> None:
        """Note that a range has been read, and that it announced `total` resources."""
        expected = ids.size * self._density
        if expected and not expected / 2 < total < expected * 2:
            self._even = False
        if self._census is not None and total > 2 * self._page_length:
            self._census = None
        self._ids_read += total
        self._space_left -= ids.size

    @property
    def at_end(self) -> bool:
        """Whether all ranges have been read."""
        return not self._pending

    @property
    def ids_read(self) -> int:
        """The number of resources that the ranges read so far have announced."""
        return self._ids_read

    @property
    def estimate(self) -> int:
        """The estimated size of the whole listing, from what is known so far."""
        if self._announced is not None:
            return max(self._announced, self._ids_read)
        return self._ids_read + round(self._space_left * self._density)

    @property
    def _density(self) -> float:
        """The number of resources to expect for each id that has not been read yet."""
        found = self._ids_read / max(1, ALL_IDS - self._space_left)
        if self._announced is None:
            return found
        left = max(0, self._announced - self._ids_read) / max(1, self._space_left)
        # The smaller density gives bigger ranges, and keeps a wrong total from having an effect for long.
        return left if self._even else min(left, found)


def _expected_for(page_length: int) -> float:
    """Return how many resources a range should be expected to hold so that it almost always fits on one page.

    The actual number varies around the expected one by its square root. We leave room for two standard deviations, so
    this solves x + 2·√x = page_length.
    """
    return (math.sqrt(page_length + 1) - 1) ** 2
