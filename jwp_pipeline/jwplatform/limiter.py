"""Keeps to our rate limit: within this process, and together with the other processes of the site.

`RateLimiter` counts the requests of this process, and `SharedLimiter` asks a `Budget` as well, which counts those of
all processes. The rule that both follow is in jwp_pipeline/rate_limit.py.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from jwp_pipeline import rate_limit
from jwp_pipeline.rate_limit import Lane, Queue, allowed, place_to_wait_for


class RateLimiter:
    """Allows at most `limit` requests within any window, and none before a time set by `hold`. Thread-safe.

    Bursts up to the limit are allowed, so that a small library is read at once. All times are those of one monotonic
    clock, in seconds.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._answered: deque[float] = deque(maxlen=limit)
        self._under_way = 0
        self._queue = Queue()
        self._not_before = float("-inf")
        self._lock = threading.Lock()

    def reserve(self) -> None:
        """Do what `rate_limit.Queue.reserve` does."""
        self._queue.reserve()

    def unreserve(self) -> None:
        """Do what `rate_limit.Queue.unreserve` does."""
        self._queue.unreserve()

    def in_line(self, lane: Lane) -> AbstractContextManager[None]:
        """Do what `rate_limit.Queue.in_line` does."""
        return self._queue.in_line(lane)

    def wait(self, now: float, lane: Lane = Lane.LISTINGS) -> float:
        """Return the seconds until a request may be sent; it may become more if another thread is faster."""
        with self._lock:
            return self._wait(now, lane)

    def begin(self, now: float, lane: Lane = Lane.LISTINGS) -> float:
        """Return the same as `wait`; if that is 0, the request counts as begun.

        Then `end` must be called after it, or `cancel` if it is not sent.
        """
        with self._lock:
            wait = self._wait(now, lane)
            self._under_way += wait == 0
            return wait

    def cancel(self) -> None:
        """Take back a `begin` whose request was not sent."""
        with self._lock:
            self._under_way -= 1

    def end(self, now: float) -> None:
        """Note that a request has ended, whether it succeeded or failed."""
        with self._lock:
            self._under_way -= 1
            self._answered.append(now)

    def hold(self, now: float, seconds: float) -> None:
        """Allow no request for so many seconds."""
        with self._lock:
            self._not_before = max(self._not_before, now + seconds)

    def _wait(self, now: float, lane: Lane) -> float:
        earliest = self._not_before
        room = allowed(self.limit, lane, self._queue.lines)
        place = place_to_wait_for(len(self._answered), self._under_way, room)
        if place is not None:
            last = self._answered[place] if place < len(self._answered) else now
            earliest = max(earliest, last + rate_limit.WINDOW)
        return max(0.0, earliest - now)


class Budget(Protocol):
    """Counts the requests of all processes of a site, by a clock of its own. Thread-safe; no method raises anything.

    If it cannot be reached, it lets every request begin.
    """

    def reserve(self) -> None:
        """See RateLimiter."""
        ...

    def unreserve(self) -> None:
        """See RateLimiter."""
        ...

    def in_line(self, lane: Lane) -> AbstractContextManager[None]:
        """See RateLimiter."""
        ...

    def ask(self, limit: int, lane: Lane, *, begin: bool) -> float:
        """Return the seconds until a request may be sent. With `begin`, it counts as begun if that is 0."""
        ...

    def end(self) -> None:
        """Note that a request which had begun has ended."""
        ...

    def hold(self, seconds: float) -> None:
        """Allow no request for so many seconds."""
        ...


class SharedLimiter:
    """A RateLimiter whose requests also have to fit into a budget that other processes share."""

    def __init__(self, own: RateLimiter, budget: Budget) -> None:
        self._own = own
        self._budget = budget

    def reserve(self) -> None:
        """See RateLimiter."""
        self._own.reserve()
        self._budget.reserve()

    def unreserve(self) -> None:
        """See RateLimiter."""
        self._own.unreserve()
        self._budget.unreserve()

    @contextmanager
    def in_line(self, lane: Lane) -> Iterator[None]:
        """See RateLimiter."""
        with self._own.in_line(lane), self._budget.in_line(lane):
            yield

    def wait(self, now: float, lane: Lane = Lane.LISTINGS) -> float:
        """Return the seconds until a request may be sent, as far as this process knows."""
        return self._own.wait(now, lane)

    def begin(self, now: float, lane: Lane = Lane.LISTINGS) -> float:
        """See RateLimiter."""
        own = self._own.begin(now, lane)
        if own > 0 and lane is Lane.LISTINGS:
            return own
        # Whoever goes first has to tell the others that it waits, even if this process alone is the reason for that.
        shared = self._budget.ask(self._own.limit, lane, begin=own == 0)
        if own == 0 and shared > 0:
            self._own.cancel()
        return max(own, shared)

    def end(self, now: float) -> None:
        """See RateLimiter."""
        self._own.end(now)
        self._budget.end()

    def hold(self, now: float, seconds: float) -> None:
        """See RateLimiter."""
        self._own.hold(now, seconds)
        self._budget.hold(seconds)


Limiter = RateLimiter | SharedLimiter

_shared: dict[tuple[str, str, int], RateLimiter] = {}
_sharing = threading.Lock()


def shared_limiter(origin: str, key: str, limit: int) -> RateLimiter:
    """Return the limiter that all clients in this process share if they use the same site and rate.

    It outlives the clients, because each asset of a run makes its own client.
    """
    with _sharing:
        return _shared.setdefault((origin, key, limit), RateLimiter(limit))
