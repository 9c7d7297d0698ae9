"""The records that one API lists, by place: found by key without looking at every one, and put into an order."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jwp_pipeline.simulator.records import Api, Record


@dataclass(frozen=True, slots=True)
class SortField:
    """One field to order by, under the name that the API gives it."""

    name: str
    descending: bool


Order = tuple[SortField, ...]


class Shelf:
    """Records in library order. A place is an index into `records`."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = records

    @property
    def places(self) -> Sequence[int]:
        """All places."""
        return range(len(self.records))

    def between(self, first: str | None, last: str | None) -> Sequence[int]:
        """Return the places of the records with a key from `first` to `last`, both included, in library order.

        None is an open end.
        """
        keys, places = self._by_key
        start = 0 if first is None else bisect_left(keys, first)
        end = len(keys) if last is None else bisect_right(keys, last)
        return sorted(places[start:end])

    def in_order(
        self, places: Sequence[int], api: Api, order: Order
    ) -> tuple[Sequence[int], Sequence[Hashable] | None]:
        """Return the places in `order`, and their tie keys: equal ones may stand in any order. Ties keep their order.

        There are no tie keys if nobody can tell which records are equal.
        """
        if not order:
            return places, None
        keys = {place: tuple(_sort_key(self.records[place], api, field.name) for field in order) for place in places}
        ordered = list(places)
        for position in reversed(range(len(order))):
            ordered.sort(key=lambda place: keys[place][position], reverse=order[position].descending)
        return ordered, [keys[place] for place in ordered]

    @cached_property
    def _by_key(self) -> tuple[list[str], list[int]]:
        found = sorted((record.key, place) for place, record in enumerate(self.records) if record.key is not None)
        return [key for key, _ in found], [place for _, place in found]


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
