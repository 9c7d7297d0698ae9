"""Manages leases, by which a run shows that it is alive, and which stop a run that was declared dead from writing.

Each run has a row in `run_leases`. A thread of its process renews the heartbeat in that row every few seconds, and a
process that finds the heartbeat too old takes the lease over. Writers call `Lease.require` in the transaction that
writes. Until that transaction ends nobody can take the lease over, and after a takeover the call fails. A process that
was stopped, or a machine that slept, therefore cannot commit anything when it wakes up.

All times are read from the server's clock. Put here code that reads or writes `run_leases`.
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
from jwp_pipeline.identity import current_process, process_in_words

BEAT_SECONDS = 5.0
"""How often a run renews its heartbeat."""

_KEPT = 100
_PACKAGE = "jwp_pipeline.database"
_log = logging.getLogger(__name__)


class Lease:
    """The lease of a run that this process executes. Make one with `Lease.begin`, and call `end` when the run ends."""

    def __init__(self, engine: Engine, number: int, *, every: float) -> None:
        self.number = number
        """The fencing number; the later of two leases has the higher number."""
        self._engine = engine
        self._every = every
        self._ended = threading.Event()
        self._loss: str | None = None
        self._heart = threading.Thread(target=self._live, name=f"lease-{number}", daemon=True)
        # If memory is short, the thread does not start. Then the engine must not refuse connections for this lease.
        self._heart.start()
        event.listen(engine, "connect", self._record_session)
        event.listen(engine, "checkout", self._refuse_if_lost)

    @classmethod
    def begin(cls, engine: Engine, run_id: str, *, every: float = BEAT_SECONDS) -> Lease:
        """Insert a lease for the run, and renew its heartbeat every `every` seconds until the lease ends.

        The lease records the connection that this method uses and those that `engine` opens later, so `engine` must
        not have more than one connection yet. Raises DatabaseError.
        """
        place = {"host": socket.gethostname(), "process_id": os.getpid(), "container": _container()}
        with connect(engine) as connection, connection.begin():
            number = connection.execute(statement(_PACKAGE, "begin_lease"), {"run_id": run_id, **place}).scalar_one()
            connection.execute(statement(_PACKAGE, "prune_leases"), {"newest": number, "kept": _KEPT})
        try:
            return cls(engine, number, every=every)
        except BaseException:
            # The lease would stay open without a heartbeat, until somebody takes it over.
            with _logged(f"The end of lease {number} was not recorded"):
                _set_time(engine, number, "ended_at")
            raise

    def require(self, connection: Connection) -> None:
        """Prevent a takeover of the lease until the caller's transaction ends. Raises LeaseLost if it is too late."""
        # This lock does not block heartbeats, which change no key. A takeover locks the whole row, so it has to wait.
        self._require(connection, locking="FOR KEY SHARE")

    def check(self) -> None:
        """Raise LeaseLost if the lease was taken over, or DatabaseError if the database cannot be asked."""
        with connect(self._engine) as connection:
            self._require(connection)

    def end(self) -> None:
        """Record that the run has ended. If the database cannot be reached, this is logged and nothing is raised."""
        self._ended.set()
        self._heart.join()
        with _logged(f"The end of lease {self.number} was not recorded"), suppress(LeaseLost):
            _set_time(self._engine, self.number, "ended_at")

    def _live(self) -> None:
        while self._loss is None and not self._ended.wait(self._every):
            # A failed heartbeat does not stop the run: the database may come back before anyone declares the run dead.
            with _logged(f"A heartbeat of lease {self.number} failed"):
                try:
                    if not _set_time(self._engine, self.number, "heartbeat_at"):
                        self.check()
                except LeaseLost as lost:
                    self._loss = str(lost)
                    _log.warning("%s", lost)

    def _require(self, connection: Connection, *, locking: str = "") -> None:
        query = text(f"SELECT ended_at, taken_over_by FROM run_leases WHERE fencing_number = :number {locking}")
        row = connection.execute(query, {"number": self.number}).one_or_none()
        if row is None or row.ended_at is not None:
            raise self._lost(row.taken_over_by if row else None)

    def _record_session(self, driver_connection: Any, _record: object) -> None:
        """Record a new connection in the lease, so that a takeover can end it. Raises LeaseLost after a takeover."""
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
        """Raise LeaseLost if a heartbeat found the lease lost, so that the run stops when it next uses the database."""
        if self._loss is not None:
            raise LeaseLost(self._loss)


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How long other processes wait before they declare a run dead, in seconds."""

    silent: float = 30.0
    """How old a heartbeat may be, counted from the later of the last heartbeat and the start of the server."""
    second_look: float = BEAT_SECONDS + 1.0
    """How long to wait before checking again. If run and server slept together, the run sends a heartbeat by then."""
    sessions: float = 5.0
    """How long to wait for the sessions of the dead run to end, and then for the lock on its lease."""


TOLERANCE = Tolerance()


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of the newest lease of a run."""

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
        """The process that executed the run, in words for people."""
        return process_in_words(self.process_id, self.host)


def standings(
    engine: Engine, run_ids: Collection[str], tolerance: Tolerance, *, over: Collection[str] = ()
) -> Mapping[str, Standing]:
    """Return the state of the newest lease of each run that has one in this schema, by run id.

    Leases that have been silent for too long are taken over first, which ends the database sessions of the run, and so
    are those of runs in `over` that have not ended, even if they are not silent: somebody has declared these dead. If
    this user may not end those sessions and they are in the middle of a write, the lease is not taken over until the
    write has finished. Raises DatabaseError.
    """

    def is_dead(standing: Standing) -> bool:
        return not standing.ended and (standing.run_id in over or standing.seconds_silent > tolerance.silent)

    found = _standings(engine, run_ids)
    suspects = [run_id for run_id, standing in found.items() if is_dead(standing)]
    if not suspects:
        return found
    time.sleep(tolerance.second_look)
    for standing in _standings(engine, suspects).values():
        if is_dead(standing):
            _take_over(engine, standing, tolerance)
    return _standings(engine, run_ids)


def _standings(engine: Engine, run_ids: Collection[str]) -> dict[str, Standing]:
    with connect(engine) as connection:
        rows = connection.execute(statement(_PACKAGE, "leases_of_runs"), {"run_ids": list(run_ids)})
        return {row.run_id: Standing(**row._mapping) for row in rows}


def _take_over(engine: Engine, standing: Standing, tolerance: Tolerance) -> None:
    lease, milliseconds = {"number": standing.fencing_number}, round(tolerance.sessions * 1000)
    what = f"The sessions of lease {standing.fencing_number} ({standing.place}) could not be ended"
    with _logged(what), engine.begin() as connection:
        connection.execute(statement(_PACKAGE, "end_sessions_of_lease"), lease | {"milliseconds": milliseconds})
    what = f"Lease {standing.fencing_number} ({standing.place}) was not taken over"
    with _logged(what), engine.begin() as connection:
        connection.execute(text(f"SET LOCAL lock_timeout TO {milliseconds}"))
        connection.execute(statement(_PACKAGE, "take_over_lease"), lease | {"by": current_process()})


def _set_time(engine: Engine, number: int, column: str) -> int:
    """Set `column` of a lease to the current time, on another connection. Returns 0 if the lease has ended, else 1."""
    query = f"UPDATE run_leases SET {column} = clock_timestamp() WHERE fencing_number = :number AND ended_at IS NULL"
    with engine.begin() as connection:
        return connection.execute(text(query), {"number": number}).rowcount


@contextmanager
def _logged(what: str) -> Iterator[None]:
    """Log a database error in the block instead of raising it."""
    try:
        yield
    except (SQLAlchemyError, psycopg.Error, DatabaseError) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        _log.warning("%s: %s", what, str(reason).partition("\n")[0])


def _container() -> str | None:
    namespace = Path("/proc/self/ns/pid")
    return str(namespace.readlink()) if namespace.is_symlink() else None
