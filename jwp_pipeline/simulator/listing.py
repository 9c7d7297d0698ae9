"""Finds and orders the records that a query selects, and remembers the result until the library changes."""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from jwp_pipeline.simulator.conditions import Predicate, narrowed
from jwp_pipeline.simulator.library import Library
from jwp_pipeline.simulator.records import Api, Kind, Record
from jwp_pipeline.simulator.shelf import Order, Shelf

CACHED_SELECTIONS = 512
"""Enough for a big library that is cut into ranges of ids and read several times."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Records that match, as places on a shelf, in order; those with the same tie key may stand in any order."""

    shelf: Shelf
    places: Sequence[int]
    tie_keys: Sequence[Hashable] | None

    @property
    def total(self) -> int:
        """The number of records."""
        return len(self.places)

    def slice(self, offset: int, limit: int, shuffle: random.Random | None = None) -> list[Record]:
        """Records at these places; with `shuffle` each group of equals that they touch is shuffled first."""
        return [self.shelf.records[place] for place in self._slice(offset, limit, shuffle)]

    def _slice(self, offset: int, limit: int, shuffle: random.Random | None) -> Sequence[int]:
        if shuffle is None or self.tie_keys is None:
            return self.places[offset : offset + limit]
        keys = self.tie_keys
        start, end = min(offset, len(keys)), min(offset + limit, len(keys))
        while 0 < start < len(keys) and keys[start - 1] == keys[start]:
            start -= 1
        while 0 < end < len(keys) and keys[end] == keys[end - 1]:
            end += 1
        shuffled: list[int] = []
        first = start
        while first < end:
            last = first + 1
            while last < end and keys[last] == keys[first]:
                last += 1
            group = list(self.places[first:last])
            shuffle.shuffle(group)
            shuffled += group
            first = last
        return shuffled[offset - start : offset - start + limit]


class Listings:
    """Selections of one library, remembered until it changes."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._version = -1
        self._shelves: dict[tuple[Kind, Api], Shelf] = {}
        self._selections: OrderedDict[Hashable, Selection] = OrderedDict()

    def select(self, kind: Kind, api: Api, order: Order, condition: Hashable, predicate: Predicate | None) -> Selection:
        """Records listed by `api` that fulfil `predicate`, which `condition` stands for, in `order`.

        An empty order is the library's own; ties too stand in library order.
        """
        with self._library.lock:
            if self._version != self._library.version:
                self._selections.clear()
                self._shelves.clear()
                self._version = self._library.version
            name = (kind, api, order, condition)
            found = self._selections.get(name)
            if found is None:
                found = self._selections[name] = self._selected(kind, api, order, predicate)
                if len(self._selections) > CACHED_SELECTIONS:
                    self._selections.popitem(last=False)
            self._selections.move_to_end(name)
            return found

    def _selected(self, kind: Kind, api: Api, order: Order, predicate: Predicate | None) -> Selection:
        shelf = self._shelves.get((kind, api))
        if shelf is None:
            shelf = self._shelves[kind, api] = self._library.shelf(kind, api)
        keys, rest = narrowed(predicate)
        places = shelf.places if keys is None else shelf.between(keys.first, keys.last)
        if rest is not None:
            places = [place for place in places if rest(shelf.records[place])]
        return Selection(shelf, *shelf.in_order(places, api, order))
