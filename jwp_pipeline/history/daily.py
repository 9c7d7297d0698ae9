"""The library day by day: computed from the change log and the cache, kept in `library_history`.

A day may be computed at any time, alone or in a range, and then only its own rows are written. Put here what runs
and reads the statements; the computing is in sql/record_days.sql.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Engine, Row

from jwp_pipeline.database.connection import WRITER_LOCK, advisory_lock, connect
from jwp_pipeline.database.leases import Lease
from jwp_pipeline.database.sql import statement
from jwp_pipeline.database.transactions import in_transaction

PACKAGE = "jwp_pipeline.history"

# A second writer waits this long for the first to finish before it gives up, seconds.
_LOCK_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Day:
    """A day (UTC) of one resource type, as `history_tables.LibraryDay` has it."""

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
    """Whether the row was missing or different before."""


def record_days(engine: Engine, first: date, last: date, *, lease: Lease | None = None) -> Sequence[Day]:
    """Compute and keep the days from `first` to `last`, both included: two rows a day. Twice is a no-op.

    Waits while a sync writes, so that no change of these days is still on its way. `lease` is that of the run that
    computes them, if it is a run. Raises SyncInProgress, LeaseLost, DatabaseError.
    """
    days = {"first_day": first.isoformat(), "last_day": last.isoformat()}
    with connect(engine) as connection, advisory_lock(connection, WRITER_LOCK, patience=_LOCK_PATIENCE):

        def work() -> Sequence[Row[Any]]:
            if lease is not None:
                lease.require(connection)
            return connection.execute(statement(PACKAGE, "record_days"), days).all()

        rows = in_transaction(connection, work)
        return [Day(**row._mapping) for row in rows]


@dataclass(frozen=True, slots=True)
class DaysToCompute:
    """Days of the change log to yesterday that `library_history` lacks or holds as they were before they were over."""

    days: int
    first: date | None
    last: date | None


def days_to_compute(bind: Engine | Connection) -> DaysToCompute:
    """Which days wait to be computed; today is none of them, since it is not over. Raises DatabaseError."""
    with connect(bind) if isinstance(bind, Engine) else nullcontext(bind) as connection:
        return DaysToCompute(*connection.execute(statement(PACKAGE, "days_to_compute")).one())


def days_that_do_not_add_up(connection: Connection) -> Sequence[str]:
    """Complete days whose live total is not the one of the day before plus what happened: there should be none."""
    return connection.scalars(statement(PACKAGE, "days_that_do_not_add_up")).all()
