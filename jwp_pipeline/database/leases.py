"""Leases: how a run shows from anywhere that it is alive, and what keeps a run that was declared dead from writing.

A run has a row in `run_leases`. A thread of its process renews the heartbeat in it every few seconds; whoever finds
that it has been silent for too long takes the lease over. Writers call `Lease.require` in the transaction that
writes: from there on nobody can take the lease over before that transaction ends, and after a takeover it fails. So
a process that was stopped, or a machine that slept, cannot commit anything once it wakes up.

Only the server's clock counts. Put here what reads or writes `run_leases`.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from jwp_pipeline.database.connection import connect
from jwp_pipeline.database.sql import statement
from jwp_pipeline.errors import DatabaseError, LeaseLost

BEAT_SECONDS = 5.0
"""How often a run renews its heartbeat."""

_KEPT = 100
_PACKAGE = "jwp_pipeline.database"
_log = logging.getLogger(__name__)


class Lease:
    """The lease of a run that this process executes. Make one with `Lease.begin`, and `end` it."""

    def __init__(self, engine: Engine, number: int, *, every: float) -> None:
        self.number = number
        """The fencing number: of two leases of a run the higher one is the later."""
        self._engine = engine
        self._every = every
        self._ended = threading.Event()
        self._loss: str | None = None
        event.listen(engine, "connect", self._record_session)
        event.listen(engine, "checkout", self._refuse_if_lost)
        self._heart = threading.Thread(target=self._live, name=f"lease-{number}", daemon=True)
        self._heart.start()

    @classmethod
    def begin(cls, engine: Engine, run_id: str, *, every: float = BEAT_SECONDS) -> Lease:
        """Enter a lease for the run and renew its heartbeat `every` so many seconds until it is ended.

        `engine` must not have more than one connection yet: those that it opens from now on are noted in the lease.
        Raises DatabaseError.
        """
        place = {"host": socket.gethostname(), "process_id": os.getpid(), "container": _container()}
        with connect(engine) as connection, connection.begin():
            number = connection.execute(statement(_PACKAGE, "begin_lease"), {"run_id": run_id, **place}).scalar_one()
            connection.execute(statement(_PACKAGE, "prune_leases"), {"newest": number, "kept": _KEPT})
        return cls(engine, number, every=every)

    def require(self, connection: Connection) -> None:
        """Keep the lease from being taken over until the caller's transaction ends. Raises LeaseLost."""
        # The heartbeat goes on meanwhile, since it changes no key; a takeover locks the whole row and has to wait.
        self._require(connection, locking="FOR KEY SHARE")

    def check(self) -> None:
        """Ask the database whether the lease was taken over. Raises LeaseLost if it was, DatabaseError."""
        with connect(self._engine) as connection:
            self._require(connection)

    def end(self) -> None:
        """Record that the run has ended. A database that cannot be reached is logged, and raises nothing."""
        self._ended.set()
        self._heart.join()
        with _logged(f"The end of lease {self.number} was not recorded"), suppress(LeaseLost):
            self._update("ended_at")

    def _live(self) -> None:
        while self._loss is None and not self._ended.wait(self._every):
            # A failed heartbeat stops nothing: the database may come back before anybody misses this run.
            with _logged(f"A heartbeat of lease {self.number} failed"):
                try:
                    if not self._update("heartbeat_at"):
                        self.check()
                except LeaseLost as lost:
                    self._loss = str(lost)
                    _log.warning("%s", lost)

    def _update(self, column: str) -> int:
        """Set a time of the lease to now, on a connection of its own; 0 if the lease is over, else 1."""
        with self._engine.begin() as connection:
            return connection.execute(
                text(
                    f"UPDATE run_leases SET {column} = clock_timestamp()"
                    " WHERE fencing_number = :number AND ended_at IS NULL"
                ),
                {"number": self.number},
            ).rowcount

    def _require(self, connection: Connection, *, locking: str = "") -> None:
        query = text(f"SELECT ended_at, taken_over_by FROM run_leases WHERE fencing_number = :number {locking}")
        row = connection.execute(query, {"number": self.number}).one_or_none()
        if row is None or row.ended_at is not None:
            raise self._lost(row.taken_over_by if row else None)

    def _record_session(self, driver_connection: Any, _record: object) -> None:
        """Note a new connection in the lease, so that a takeover can end it; after a takeover there is none."""
        with driver_connection.cursor() as cursor:
            cursor.execute(
                "UPDATE run_leases SET backend_pids = backend_pids || pid,"
                " backend_starts = backend_starts || backend_start"
                " FROM pg_stat_activity WHERE pid = pg_backend_pid() AND fencing_number = %s"
                " RETURNING ended_at, taken_over_by",
                [self.number],
            )
            ended_at, by = cursor.fetchone() or (True, None)
        driver_connection.commit()
        if ended_at:
            driver_connection.close()
            raise self._lost(by)

    def _lost(self, by: str | None) -> LeaseLost:
        return LeaseLost(
            f"This run was declared dead by {by or 'another process'}: nothing had been heard of it (lease "
            f"{self.number}) for too long. It stops without writing anything more; what it had not committed is "
            "undone, and the next run goes on from what is stored."
        )

    def _refuse_if_lost(self, *_connection: object) -> None:
        """Stop a run that lost its lease when it next uses the database."""
        if self._loss is not None:
            raise LeaseLost(self._loss)


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How long others wait before they declare a run dead, in seconds."""

    silent: float = 30.0
    """Without a heartbeat, counted from the later of the last heartbeat and the start of the server."""
    second_look: float = BEAT_SECONDS + 1.0
    """Between noticing that and acting on it. Where run and server slept together, the run comes back in this time."""
    sessions: float = 5.0
    """For the sessions of the dead run to end, and for what they hold to become free."""


TOLERANCE = Tolerance()


@dataclass(frozen=True, slots=True)
class Standing:
    """How the newest lease of a run stands."""

    run_id: str
    fencing_number: int
    host: str
    process_id: int
    ended: bool
    taken_over_by: str | None
    seconds_since_end: float | None
    seconds_silent: float

    @property
    def place(self) -> str:
        """Which process executed the run, for people."""
        return f"process {self.process_id} on {self.host}"


def standings(engine: Engine, run_ids: Collection[str], tolerance: Tolerance) -> Mapping[str, Standing]:
    """Run id → how its lease stands, of those runs that have one in this schema; the silent ones are taken over first.

    A takeover ends the database sessions of the run. One whose sessions this user may not end, and which are just
    writing, stays as it is until they have finished. Raises DatabaseError.
    """
    found = _standings(engine, run_ids)
    suspects = [run_id for run_id, standing in found.items() if _is_silent(standing, tolerance)]
    if not suspects:
        return found
    time.sleep(tolerance.second_look)
    for standing in _standings(engine, suspects).values():
        if _is_silent(standing, tolerance):
            _take_over(engine, standing, tolerance)
    return _standings(engine, run_ids)


def _standings(engine: Engine, run_ids: Collection[str]) -> dict[str, Standing]:
    with connect(engine) as connection:
        rows = connection.execute(statement(_PACKAGE, "leases_of_runs"), {"run_ids": list(run_ids)})
        return {row.run_id: Standing(**row._mapping) for row in rows}


def _is_silent(standing: Standing, tolerance: Tolerance) -> bool:
    return not standing.ended and standing.seconds_silent > tolerance.silent


def _take_over(engine: Engine, standing: Standing, tolerance: Tolerance) -> None:
    lease, milliseconds = {"number": standing.fencing_number}, round(tolerance.sessions * 1000)
    what = f"The sessions of lease {standing.fencing_number} ({standing.place}) could not be ended"
    with _logged(what), engine.begin() as connection:
        connection.execute(statement(_PACKAGE, "end_sessions_of_lease"), lease | {"milliseconds": milliseconds})
    what = f"Lease {standing.fencing_number} ({standing.place}) was not taken over"
    with _logged(what), engine.begin() as connection:
        connection.execute(text(f"SET LOCAL lock_timeout TO {milliseconds}"))
        by = f"process {os.getpid()} on {socket.gethostname()}"
        connection.execute(statement(_PACKAGE, "take_over_lease"), lease | {"by": by})


@contextmanager
def _logged(what: str) -> Iterator[None]:
    """Log what the database refuses, instead of failing for it."""
    try:
        yield
    except (SQLAlchemyError, psycopg.Error, DatabaseError) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        _log.warning("%s: %s", what, str(reason).partition("\n")[0])


def _container() -> str | None:
    namespace = Path("/proc/self/ns/pid")
    return str(namespace.readlink()) if namespace.is_symlink() else None
