"""Counts the requests to JW Platform of all processes of a site, so that together they keep to one rate limit.

Each request is a row, from its beginning until a window after it was answered, by the clock of the server. To begin
one, a process locks the row of the account, looks at what counts, and follows jwp_pipeline/rate_limit.py. A process
that waits in one of the lanes that go first says so in a row that lapses by itself, so that a killed process delays
nobody for long. Put here code that reads or writes these tables.

pyrate-limiter has a bucket on PostgreSQL, but a request counts there only from its beginning, so that a slow answer
makes room too early; it knows no lanes and no time before which nothing may be sent; two processes that ask at the same
moment refuse each other, and then wait for a whole window without need; and it needs a pool and the right to create
tables.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from sqlalchemy import Connection, Engine, text

from jwp_pipeline import rate_limit
from jwp_pipeline.database.sql import statement
from jwp_pipeline.database.translation import ERRORS, clear_error
from jwp_pipeline.errors import PipelineError
from jwp_pipeline.rate_limit import Lane, Lines, Queue, allowed, place_to_wait_for

SEEN_AFTER = timedelta(seconds=120)
"""A request that has been under way for so long has reached JW Platform, or was never sent: its process is gone."""

TRY_AGAIN_SECONDS = 30.0
"""How long to go on without the database after it could not be used."""

# A process that waits asks again when it may begin, so this is how late it may be.
_GRACE = timedelta(seconds=5)
# Nobody holds the lock for more than a few milliseconds, except a process that was stopped in the middle; the server
# ends its session.
_SETTINGS = text(
    "SELECT set_config('synchronous_commit', 'off', false), set_config('lock_timeout', '3s', false),"
    " set_config('statement_timeout', '3s', false), set_config('idle_in_transaction_session_timeout', '2s', false)"
)
_PACKAGE = "jwp_pipeline.database"
_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class RequestBudget:
    """The budget of one account, as one process sees it. Thread-safe. Close it after use.

    It opens a session of its own when it is first asked. If that or anything later fails, a warning is logged, and for
    TRY_AGAIN_SECONDS it lets every request begin: then each process has only its own limit.
    """

    def __init__(self, engine: Callable[[], Engine], account: str) -> None:
        """`engine` is called when a session is needed, and may raise PipelineError."""
        self._engine = engine
        self._account = account
        self._process = secrets.randbits(62)
        self._lock = threading.Lock()
        self._session: Connection | None = None
        self._not_before = float("-inf")
        self._is_lost = False
        self._permits: deque[int | None] = deque()
        self._queue = Queue()
        self._said = Lines()

    def reserve(self) -> None:
        """Do what `rate_limit.Queue.reserve` does."""
        self._queue.reserve()

    def unreserve(self) -> None:
        """Do what `rate_limit.Queue.unreserve` does."""
        self._queue.unreserve()
        self._withdraw()

    @contextmanager
    def in_line(self, lane: Lane) -> Iterator[None]:
        """Do what `rate_limit.Queue.in_line` does."""
        try:
            with self._queue.in_line(lane):
                yield
        finally:
            self._withdraw()

    def ask(self, limit: int, lane: Lane, *, begin: bool) -> float:
        """Return the seconds until a request may be sent. With `begin`, it counts as begun if that is 0."""
        asked: tuple[float, int | None] | None = self._try(lambda session: self._ask(session, limit, lane, begin))
        wait, permit = asked or (0.0, None)
        if begin and wait == 0:
            self._permits.append(permit)
        return wait

    def end(self) -> None:
        """Note that a request which had begun has ended. It does not matter which one."""
        permit = self._permits.popleft()
        if permit is not None:
            ended = text("UPDATE request_permits SET answered_at = clock_timestamp() WHERE id = :id")
            self._try(lambda session: session.execute(ended, {"id": permit}))

    def hold(self, seconds: float) -> None:
        """Allow no request of any process for so many seconds."""
        held = text(
            "UPDATE request_accounts SET not_before = greatest(not_before, clock_timestamp() + :length)"
            " WHERE account = :account"
        )
        length = timedelta(seconds=min(seconds, 86_400.0))
        self._try(lambda session: session.execute(held, {"account": self._account, "length": length}))

    def close(self) -> None:
        """End the session, and take back what this process waits for."""
        self._withdraw()
        with self._lock:
            self._hang_up()

    def _ask(self, session: Connection, limit: int, lane: Lane, begin: bool) -> tuple[float, int | None]:
        """Return the seconds to wait, and the id of the request if it has begun."""
        about = {"account": self._account, "process": self._process, "window": timedelta(seconds=rate_limit.WINDOW)}
        while session.execute(statement(_PACKAGE, "request_lock"), about).one_or_none() is None:
            session.execute(
                text("INSERT INTO request_accounts (account) VALUES (:account) ON CONFLICT DO NOTHING"), about
            )
        found = session.execute(statement(_PACKAGE, "request_standing"), about).one()
        ours = self._queue.lines
        room = allowed(limit, lane, ours + Lines(found.edits, found.looks, found.writers))
        wait = max(0.0, found.held_for)
        place = place_to_wait_for(found.answered, found.under_way, room)
        if place is not None:
            leaves = None
            if place < found.answered:
                leaves = session.scalar(statement(_PACKAGE, "request_leaves"), {**about, "place": place})
            wait = max(wait, rate_limit.WINDOW if leaves is None else min(leaves, rate_limit.WINDOW))
        permit: int | None = None
        if wait == 0 and begin:
            begun = session.execute(statement(_PACKAGE, "request_begin"), {**about, "lapse": SEEN_AFTER})
            permit = begun.scalar_one()
            ours = _without_one(ours, lane)
        if ours != self._said or ours != Lines():
            lapse = timedelta(seconds=max(wait, rate_limit.WINDOW)) + _GRACE
            self._say(session, ours, lapse)
        return wait, permit

    def _withdraw(self) -> None:
        """Tell the others at once if this process waits for less than it has said."""
        if self._said != Lines() and self._queue.lines != self._said:
            self._try(
                lambda session: self._say(session, self._queue.lines, timedelta(seconds=rate_limit.WINDOW) + _GRACE)
            )

    def _say(self, session: Connection, lines: Lines, lapse: timedelta) -> None:
        about = {"account": self._account, "process": self._process}
        if lines == Lines():
            gone = text("DELETE FROM request_lines WHERE account = :account AND process = :process")
            session.execute(gone, about)
        else:
            numbers = {"edits": lines.edits, "looks": lines.looks, "writers": lines.writers}
            session.execute(statement(_PACKAGE, "request_line"), {**about, **numbers, "lapse": lapse})
        self._said = lines

    def _try(self, work: Callable[[Connection], _T]) -> _T | None:
        """Do some work in one transaction, and return its result; None if the database cannot be used."""
        with self._lock:
            if time.monotonic() < self._not_before:
                return None
            try:
                if self._session is None:
                    self._session = self._open()
                with self._session.begin():
                    result = work(self._session)
            except (*ERRORS, PipelineError) as error:
                self._lose(error)
                return None
            if self._is_lost:
                self._is_lost = False
                _log.warning("The requests of all processes of the site are counted together again.")
            return result

    def _open(self) -> Connection:
        session = self._engine().connect()
        try:
            # The session is ours for as long as we live; it must not go back into the pool with these settings.
            session.detach()
            with session.begin():
                session.execute(_SETTINGS)
        except BaseException:
            session.close()
            raise
        return session

    def _lose(self, error: Exception) -> None:
        self._not_before = time.monotonic() + TRY_AGAIN_SECONDS
        self._hang_up()
        if not self._is_lost:
            self._is_lost = True
            reason = error if isinstance(error, PipelineError) else clear_error(error, "The database")
            _log.warning(
                "The requests of this process to JW Platform are counted separately for now, so all processes of the "
                "site together may send more than JWP_REQUESTS_PER_MINUTE. %s",
                reason,
            )

    def _hang_up(self) -> None:
        if self._session is not None:
            with suppress(*ERRORS):
                self._session.close()
            self._session = None
            # What was said lapses by itself. A new session has to say it again.
            self._said = Lines()


def _without_one(lines: Lines, lane: Lane) -> Lines:
    """Return the lines without a request of this lane, which waits no longer."""
    return replace(lines, edits=lines.edits - (lane is Lane.EDITS), looks=lines.looks - (lane is Lane.LOOKS))
