"""Describes which ids a listing probably holds, so that it can be cut into ranges that fill their pages.

The caller knows from earlier listings; nothing that is read depends on it, only the number of requests. Everything here
is pure. ids.py reads ids as numbers, and ranges.py cuts the ranges.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable

from jwp_pipeline.jwplatform.ids import IdRange, number_of

EVERY = 20
"""A census holds every twentieth known id: fifty of them for a page of a thousand, so little room is left unused."""


class Census:
    """Every twentieth known id of a listing."""

    def __init__(self, ids: Iterable[str]) -> None:
        """`ids` are the first, the 21st, the 41st ... of the known ids in ASCII order. What is no id is left out."""
        self._numbers = sorted(number for each in ids if (number := number_of(each)) is not None)

    @property
    def known(self) -> int:
        """The number of known ids, rounded up."""
        return len(self._numbers) * EVERY

    def known_in(self, ids: IdRange) -> int:
        """Return how many of the known ids lie in a range; it may be wrong by less than `EVERY`."""
        return (bisect_left(self._numbers, ids.last + 1) - bisect_left(self._numbers, ids.first)) * EVERY

    def page_of(self, ids: IdRange, page_length: int, total: int | None) -> IdRange | None:
        """Return the first part of a range that probably fits on one page, or None if the whole range does.

        `total` is the announced size of the whole listing. What it has more than is known is assumed to be spread
        evenly. The actual number of new ids varies by its square root, so there is room for two standard deviations.
        """
        growth = max(0.0, (total or 0) / max(1, self.known) - 1)
        room = (page_length - 2 * math.sqrt(page_length * growth)) / (1 + growth)
        # One less, because ids that are gone may hide as many that are new.
        place = bisect_left(self._numbers, ids.first) + max(1, int(room) // EVERY - 1)
        if place >= len(self._numbers) or self._numbers[place] > ids.last:
            return None
        return IdRange(ids.first, self._numbers[place] - 1)

    @staticmethod
    def is_of_use(page_length: int) -> bool:
        """Whether pages are so long that a page holds several of the ids of a census."""
        return page_length >= 10 * EVERY
