"""When the next request may go: our own rate, what JW Platform asks for, and back-off after failures.

Pure, but for `Clock`, which is handed in. Put here how long to wait; sending is in transport.py.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections import deque
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

WINDOW = 60.0
"""Seconds over which JW Platform counts requests. v1's windows are whole clock minutes; v2's length is
documented, its start is not, and we take it to be the same."""

BACKOFF_FIRST = 0.5
BACKOFF_MOST = 60.0


class Clock:
    """Time as a client sees it, in seconds; its sleep can be cut short from another thread."""

    def __init__(self) -> None:
        self._interrupted = threading.Event()

    def monotonic(self) -> float:
        """Seconds that only ever grow, from an arbitrary start."""
        return time.monotonic()

    def time(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait, or return at once after `interrupt()`."""
        self._interrupted.wait(seconds)

    def interrupt(self) -> None:
        """End the present sleep and all later ones."""
        self._interrupted.set()


class RateLimiter:
    """At most `limit` requests within any `WINDOW`, and none before a moment that was set. Thread-safe.

    Bursts are allowed up to the limit, so that a small library is read at once. All moments are those of one
    monotonic clock. A request counts from its begin to a window after it was *answered*: JW Platform saw it before
    that, so its own count can never be higher than ours, however slow the network.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._answered: deque[float] = deque(maxlen=limit)
        self._under_way = 0
        self._not_before = float("-inf")
        self._lock = threading.Lock()

    def wait(self, now: float) -> float:
        """Seconds until the next request may be sent: at least, for others may be faster."""
        with self._lock:
            return self._wait(now)

    def begin(self, now: float) -> float:
        """The same; when it is 0, the request counts as begun, and `end` must be called after it."""
        with self._lock:
            wait = self._wait(now)
            self._under_way += wait == 0
            return wait

    def end(self, now: float) -> None:
        """Count a request that has just ended, in whatever way."""
        with self._lock:
            self._under_way -= 1
            self._answered.append(now)

    def hold(self, until: float) -> None:
        """Let no request pass before a moment."""
        with self._lock:
            self._not_before = max(self._not_before, until)

    def _wait(self, now: float) -> float:
        earliest = self._not_before
        # How many more than one of those that count have to leave the window first, in the order of their answers.
        surplus = len(self._answered) + self._under_way - self._limit
        if surplus >= 0:
            last = self._answered[surplus] if surplus < len(self._answered) else now
            earliest = max(earliest, last + WINDOW)
        return max(0.0, earliest - now)


_shared: dict[tuple[str, str, int], RateLimiter] = {}
_sharing = threading.Lock()


def shared_limiter(origin: str, key: str, limit: int) -> RateLimiter:
    """The limiter that all clients in this process share that ask one site at one rate.

    It outlives them: each asset of a run makes a client of its own. Other processes have limiters of their own.
    """
    with _sharing:
        return _shared.setdefault((origin, key, limit), RateLimiter(limit))


def backoff(failures: int) -> float:
    """Seconds to wait after the n-th failure in a row: doubling, with jitter so that clients fall out of step."""
    ceiling: float = min(BACKOFF_MOST, BACKOFF_FIRST * 2 ** min(failures - 1, 16))
    return ceiling * random.uniform(0.5, 1.0)  # noqa: S311


def asked_wait(status: int, headers: Mapping[str, str], document: Any, now: float) -> float | None:
    """Seconds that an answer asks us to stay away, or None.

    Read from `Retry-After` (seconds or an HTTP date), from v2's `JW-Request-Remaining: 0`, and from
    the `rate_limit` that v1 puts into every body. `now` is our own time since the epoch: used only when the answer
    has no `Date`, for what counts is JW Platform's clock.
    """
    stamp = _http_date(headers.get("Date", ""))
    server_now = now if stamp is None else stamp
    if status >= 400:
        after = _retry_after(headers.get("Retry-After", ""), server_now)
        if after is not None:
            return after
    if _integer(headers.get("JW-Request-Remaining")) == 0:
        return WINDOW - server_now % WINDOW
    rate = document.get("rate_limit") if isinstance(document, dict) else None
    if isinstance(rate, dict):
        reset = _integer(rate.get("reset"))
        if reset is not None and (_integer(rate.get("remaining")) == 0 or status == 429):
            # Clocks differ, windows do not: a reset further off than a window is our misreading.
            return min(max(reset - server_now, 1.0), WINDOW)
    return None


def _retry_after(value: str, server_now: float) -> float | None:
    seconds = _integer(value)
    if seconds is not None:
        return float(seconds)
    moment = _http_date(value)
    return None if moment is None else max(0.0, moment - server_now)


def _http_date(value: str) -> float | None:
    try:
        return parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):
        return None


def _integer(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**12:
        return value
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,9}\s*", value):
        return int(value)
    return None
