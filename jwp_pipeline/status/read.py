"""Reads the state of the record at a moment, as the status page and `jwpfetch --status` tell it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, Engine, text

from jwp_pipeline.database.connection import connect, in_words
from jwp_pipeline.database.sql import statement
from jwp_pipeline.database.status import TypeStatus, read_status
from jwp_pipeline.outbox.report import Outbox, read_outbox
from jwp_pipeline.settings import Settings
from jwp_pipeline.webhooks.store import Backlog, backlog

DAYS = 30
"""How many days the page looks back."""

# A status is worth waiting only so long for, for example while a first mirror holds locks.
_LOCK_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Day:
    """One day (UTC) of the videos."""

    day: date
    live: int
    """How many were live at its end."""
    changes: int


@dataclass(frozen=True, slots=True)
class Status:
    """The state of the record at a moment. Times are in UTC."""

    at: datetime
    site: str | None
    """JW Platform's id of the configured site."""
    database: str
    """The URL of the database, without its password."""
    schema: str
    types: Sequence[TypeStatus]
    events: Backlog
    outbox: Outbox
    max_age: timedelta
    """The age from which a full listing is too old."""
    days: Sequence[Day]
    """The last DAYS days, or fewer if the first sync was later."""

    @property
    def troubles(self) -> list[str]:
        """Why the record is not in step, with what to do next; empty if it is."""
        return [trouble for status in self.types if (trouble := status.trouble(self.max_age))]


def read(engine: Engine, settings: Settings) -> Status:
    """Read the status. Raises DatabaseError, also if the tables stay locked for a few seconds."""
    with connect(engine) as connection, connection.begin():
        connection.execute(text(f"SET LOCAL lock_timeout TO '{_LOCK_SECONDS}s'"))
        return Status(
            at=datetime.now(UTC),
            site=settings.jwplatform_api_key,
            database=in_words(engine),
            schema=settings.jwp_database_schema,
            types=read_status(connection),
            events=backlog(connection),
            outbox=read_outbox(connection),
            max_age=timedelta(hours=settings.jwp_max_listing_age_hours),
            days=_days(connection),
        )


def _days(connection: Connection) -> list[Day]:
    rows = connection.execute(statement("jwp_pipeline.status", "days"), {"days": DAYS})
    return [Day(row.day, int(row.live), int(row.changes)) for row in rows]
