"""Defines the report of a push, and what is on its way to JW Platform at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from jwp_pipeline.database.sql import statement
from jwp_pipeline.outbox.fields import decoded, in_words


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

    @property
    def in_words(self) -> str:
        """What the outbox holds, for people to read."""
        return f"{self.waiting} items wait, {self.conflicts} fields are in conflict, {self.refused} are refused"


def read_outbox(connection: Connection) -> Outbox:
    """Return what the outbox holds now."""
    row = connection.execute(statement("jwp_pipeline.outbox", "waiting")).one()
    seconds = None if row.oldest_seconds is None else float(row.oldest_seconds)
    return Outbox(row.waiting, row.conflicts, row.refused, seconds)


def what_is_due(connection: Connection) -> str | None:
    """Return how many items are due, and up to which edit, for people to read; None if none is."""
    row = connection.execute(statement("jwp_pipeline.outbox", "what_is_due")).one()
    found = [f"{row.items} items up to edit {row.newest}"] if row.items else []
    found += [f"{row.new_items} new items up to {row.newest_item:%H:%M:%S}"] if row.new_items else []
    return ", ".join(found) or None


@dataclass(frozen=True, slots=True)
class StuckEdit:
    """A field in conflict or refused, or a new item whose video is refused, for people to read."""

    item_id: str
    field: str
    """The name of the field; `video` for a new item."""
    problem: str
    ours: str
    theirs: str
    since: datetime


def stuck_edits(connection: Connection, state: Literal["conflict", "refused"], limit: int) -> list[StuckEdit]:
    """Return the edits in this state, the oldest first."""
    rows = connection.execute(statement("jwp_pipeline.outbox", "stuck_edits"), {"state": state, "limit": limit})
    return [
        StuckEdit(
            row.item_id,
            row.field,
            row.problem or "",
            row.title if row.field == "video" else in_words(row.field, decoded(row.field, row.ours)),
            "" if row.field == "video" else in_words(row.field, decoded(row.field, row.theirs)),
            row.since,
        )
        for row in rows
    ]


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
