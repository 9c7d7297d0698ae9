"""Conditions on records: predicates, of which a range of keys can be told apart, because an index finds it at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jwp_pipeline.simulator.records import Record

Predicate = Callable[[Record], bool]


@dataclass(frozen=True, slots=True)
class KeyRange:
    """The condition that a key lies in a range, ends included; None is an open end."""

    first: str | None
    last: str | None

    def __call__(self, record: Record) -> bool:
        """Whether the record fulfils it."""
        key = record.key
        return key is not None and (self.first is None or key >= self.first) and (self.last is None or key <= self.last)


@dataclass(frozen=True, slots=True)
class All:
    """The condition that all of its parts are fulfilled."""

    parts: tuple[Callable[[Any], bool], ...]

    def __call__(self, value: Any) -> bool:
        """Whether a value fulfils it."""
        return all(part(value) for part in self.parts)


def narrowed(predicate: Predicate | None) -> tuple[KeyRange | None, Predicate | None]:
    """Split a predicate into a range of keys, for which there is an index, and the remaining conditions."""
    if isinstance(predicate, KeyRange):
        return predicate, None
    if isinstance(predicate, All):
        ranges = [part for part in predicate.parts if isinstance(part, KeyRange)]
        if ranges:
            rest = tuple(part for part in predicate.parts if part is not ranges[0])
            return ranges[0], rest[0] if len(rest) == 1 else All(rest)
    return None, predicate
