"""Defines the report of a push, and what is on its way to JW Platform at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from jwp_pipeline.database.sql import statement


@dataclass(frozen=True, slots=True)
class Outbox:
    """What the outbox holds at a moment."""

    waiting: int
    """Items with edits that have not reached JW Platform, and items that have no video yet."""
    conflicts: int
    """Fields that were changed on both sides, and wait for somebody to decide."""
    refused: int
    """Fields and new items that JW Platform does not take as they are."""
    oldest_seconds: float | None
    """How long the oldest of what waits has waited; None if nothing does."""


def read_outbox(connection: Connection) -> Outbox:
    """Return what the outbox holds now."""
    row = connection.execute(statement("jwp_pipeline.outbox", "waiting")).one()
    seconds = None if row.oldest_seconds is None else float(row.oldest_seconds)
    return Outbox(row.waiting, row.conflicts, row.refused, seconds)


Result = Literal["pushed", "unchanged", "conflict", "refused", "theirs", "later", "created"]


@dataclass(frozen=True, slots=True)
class PushedChange:
    """What a push did, or would do, with one field of an item, or with a new item."""

    item_id: str
    key: str | None
    """The key of the video at JW Platform; None if there is none yet."""
    field: str
    """The name of the field; `video` if a video is created."""
    result: Result
    ours: str = ""
    theirs: str = ""
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class PushReport:
    """What a push did, or would do."""

    changes: tuple[PushedChange, ...]
    after: Outbox
    seconds: float
    """How long the push took."""
    latencies: tuple[float, ...] = ()
    """Seconds from each edit to its arrival at JW Platform."""
    dry_run: bool = False
    stopped: str | None = None
    """Why the push ended before everything that was due had been tried."""

    def count(self, *results: str) -> int:
        """Return how many fields (and new items) had one of these results."""
        return sum(change.result in results for change in self.changes)
