"""Computes what the library was on each day, from the change log and the cache, and stores it in `library_history`.

A day may be computed at any time, alone or as part of a range; only its own rows are written. The computation itself
is in sql/record_days.sql.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, Engine

from jwp_pipeline.database.connection import WRITER_LOCK, advisory_lock, connect
from jwp_pipeline.database.leases import Lease
from jwp_pipeline.database.sql import statement
from jwp_pipeline.database.transactions import in_transaction

PACKAGE = "jwp_pipeline.history"

# Seconds that a second writer waits for the first one before it gives up.
_LOCK_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Day:
    """One day (UTC) of one resource type; `history_tables.LibraryDay` describes the fields."""

    day: date
    type: str
    live: int | None
    added: int | None
    changed: int | None
    restored: int | None
    deleted: int | None
    hours: float | None
    storage_bytes: int | None
    complete: bool
    note: str | None
    written: bool
    """Whether the row was new or different and has therefore been written."""


def record_days(engine: Engine, first: date, last: date, *, lease: Lease | None = None) -> Sequence[Day]:
    """Compute and store the days from `first` to `last`, both included, as two rows for each day.

    Computing the same days again changes nothing. The function waits while a sync writes, so that it sees all changes
    of these days. `lease` is the lease of the calling run, if there is one. Raises SyncInProgress, LeaseLost and
    DatabaseError.
    """
    days = {"first_day": first.isoformat(), "last_day": last.isoformat()}
    with connect(engine) as connection, advisory_lock(connection, WRITER_LOCK, patience=_LOCK_PATIENCE):
        rows = in_transaction(
            connection, lambda: connection.execute(statement(PACKAGE, "record_days"), days).all(), lease=lease
        )
        return [Day(**row._mapping) for row in rows]


@dataclass(frozen=True, slots=True)
class DaysToCompute:
    """Days up to yesterday that `library_history` lacks, or that it stored before they were over."""

    days: int
    first: date | None
    last: date | None


def days_to_compute(bind: Engine | Connection) -> DaysToCompute:
    """Return the days that still have to be computed, without today, which is not over. Raises DatabaseError."""
    with connect(bind) if isinstance(bind, Engine) else nullcontext(bind) as connection:
        return DaysToCompute(*connection.execute(statement(PACKAGE, "days_to_compute")).one())


def days_that_do_not_add_up(connection: Connection) -> Sequence[str]:
    """Return the complete days whose live total is not that of the day before plus the day's changes.

    There should be none.
    """
    return connection.scalars(statement(PACKAGE, "days_that_do_not_add_up")).all()
