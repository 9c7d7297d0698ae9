"""Finds and orders the records that a query selects, and remembers the result until the library changes."""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from jwp_pipeline.simulator.library import Library
from jwp_pipeline.simulator.records import Api, Kind, Record

CACHED_SELECTIONS = 512
"""Enough for a big library that is cut into ranges of ids and read several times."""

Predicate = Callable[[Record], bool]


@dataclass(frozen=True, slots=True)
class SortField:
    """One field to order by, under the name that the API gives it."""

    name: str
    descending: bool


Order = tuple[SortField, ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """Records that match, in order; records with the same tie key may stand in any order."""

    records: list[Record]
    tie_keys: list[Hashable] | None

    def slice(self, offset: int, limit: int, shuffle: random.Random | None = None) -> list[Record]:
        """Records at these places; with `shuffle` each group of equals that they touch is shuffled first."""
        if shuffle is None or self.tie_keys is None:
            return self.records[offset : offset + limit]
        keys = self.tie_keys
        start, end = min(offset, len(keys)), min(offset + limit, len(keys))
        while 0 < start < len(keys) and keys[start - 1] == keys[start]:
            start -= 1
        while 0 < end < len(keys) and keys[end] == keys[end - 1]:
            end += 1
        shuffled: list[Record] = []
        first = start
        while first < end:
            last = first + 1
            while last < end and keys[last] == keys[first]:
                last += 1
            group = self.records[first:last]
            shuffle.shuffle(group)
            shuffled += group
            first = last
        return shuffled[offset - start : offset - start + limit]


class Listings:
    """Selections of one library, remembered until it changes."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._version = -1
        self._selections: OrderedDict[Hashable, Selection] = OrderedDict()

    def select(self, kind: Kind, api: Api, order: Order, condition: Hashable, predicate: Predicate | None) -> Selection:
        """Records listed by `api` that fulfil `predicate`, which `condition` stands for, in `order`.

        An empty order is the library's own; ties too stand in library order.
        """
        with self._library.lock:
            if self._version != self._library.version:
                self._selections.clear()
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
        records = [record for record in self._library.listed(kind) if api in record.apis]
        if predicate is not None:
            records = [record for record in records if predicate(record)]
        if not order:
            return Selection(records, None)
        keys = [tuple(_sort_key(record, api, field.name) for field in order) for record in records]
        places = list(range(len(records)))
        for position in reversed(range(len(order))):
            places.sort(key=lambda place: keys[place][position], reverse=order[position].descending)
        return Selection([records[place] for place in places], [keys[place] for place in places])


_NUMBERS_AS_TEXT = frozenset({"duration", "size"})


def _sort_key(record: Record, api: Api, name: str) -> tuple[int, Any]:
    """Comparable whatever the types: what is absent comes first, then numbers, texts, and the rest."""
    value = _value(record, api, name)
    if value is None:
        return 0, 0
    if isinstance(value, str) and name in _NUMBERS_AS_TEXT:
        try:
            value = float(value)
        except ValueError:
            return 2, value
    if isinstance(value, int | float):
        return (1, value) if value == value else (0, 1)
    return (2, value) if isinstance(value, str) else (3, repr(value))


def _value(record: Record, api: Api, name: str) -> Any:
    if name in {"created", "last_modified"}:
        return record.created if name == "created" else record.modified
    if name == "updated" and record.modified is not None:
        return record.modified
    if name in {"key", "id"}:
        return record.key
    obj = record.object(api)
    return obj[name] if name in obj else obj.get("metadata", {}).get(name)
