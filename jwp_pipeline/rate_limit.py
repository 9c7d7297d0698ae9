"""Decides whether a request may begin, for one process (jwplatform/) and for all processes of a site (database/) alike.

There are three lanes: edits of people go first, then looks at the keys of JW Platform's events, then listings and
everything else. Nobody is overtaken inside a lane for long, because the requests of a window leave it one by one.

A request counts from its beginning until a window after it was *answered*. JW Platform has seen it by then, so its
count is never higher than ours, however slow the network is. Put here the rule itself, and who of this process waits;
the callers count the requests, each by a clock of its own.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum

WINDOW = 60.0
"""The period in seconds over which JW Platform counts requests. v1's windows are whole minutes of the clock. v2
documents only the length of its windows; we assume that they start at the same times."""


class Lane(IntEnum):
    """Who goes first. A lower number goes before a higher one."""

    EDITS = 0
    """Requests of clients that write, which somebody may be waiting for."""
    LOOKS = 1
    """Requests about single keys, because an event named them."""
    LISTINGS = 2
    """Everything else."""


@dataclass(frozen=True, slots=True)
class Lines:
    """How many edits and looks wait for their turn, and how many clients may send edits at any time."""

    edits: int = 0
    looks: int = 0
    writers: int = 0

    def __add__(self, other: Lines) -> Lines:
        return Lines(self.edits + other.edits, self.looks + other.looks, self.writers + other.writers)


class Queue:
    """Counts the requests of this process that wait, and its clients that may send edits. Thread-safe."""

    def __init__(self) -> None:
        self._waiting: Counter[Lane] = Counter()
        self._writers = 0
        self._lock = threading.Lock()

    def reserve(self) -> None:
        """Keep room for edits, until `unreserve` has been called as often as this."""
        with self._lock:
            self._writers += 1

    def unreserve(self) -> None:
        """Take one reservation back."""
        with self._lock:
            self._writers -= 1

    @contextmanager
    def in_line(self, lane: Lane) -> Iterator[None]:
        """Count one waiting request of a lane during the block, so that later lanes leave it a place."""
        with self._lock:
            self._waiting[lane] += 1
        try:
            yield
        finally:
            with self._lock:
                self._waiting[lane] -= 1

    @property
    def lines(self) -> Lines:
        """The counts at this moment."""
        with self._lock:
            return Lines(self._waiting[Lane.EDITS], self._waiting[Lane.LOOKS], self._writers)


def allowed(limit: int, lane: Lane, lines: Lines) -> int:
    """Return how many of the `limit` requests of a window a lane may use. It is zero or less if others need them all.

    A waiting request of an earlier lane takes one place from the later ones. While somebody may send edits, the others
    leave a tenth of the limit free (at least one request, if the limit is two or more), so that an edit need not wait
    for a long listing. That is all that the others lose as long as nothing else is sent.
    """
    if lane is Lane.EDITS:
        return limit
    kept = max(limit // 10, 1) if lines.writers and limit > 1 else 0
    room = limit - max(kept, lines.edits)
    return room if lane is Lane.LOOKS else room - lines.looks


def place_to_wait_for(answered: int, under_way: int, allowed: int) -> int | None:
    """Return which request has to leave the window before another may begin; None if there is room now.

    The result is the place among the `answered` requests, in the order of their answers and counted from 0. It is
    `answered` or more if a request has to leave that is not answered yet.
    """
    surplus = answered + under_way - allowed
    return surplus if surplus >= 0 else None
