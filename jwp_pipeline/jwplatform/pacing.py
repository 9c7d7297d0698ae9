"""Decides when the next request may be sent, from our rate limit, JW Platform's instructions and earlier failures.

Only `Clock` reads the time; everything else gets the time from its caller.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any

WINDOW = 60.0
"""The period in seconds over which JW Platform counts requests. v1's windows are whole minutes of the clock. v2
documents only the length of its windows; we assume that they start at the same times."""

BACKOFF_FIRST = 0.5
BACKOFF_MOST = 60.0


class Clock:
    """A client's clock, in seconds. Another thread can interrupt its sleep."""

    def __init__(self) -> None:
        self._interrupted = threading.Event()

    def monotonic(self) -> float:
        """Return seconds that never go backwards, counted from an arbitrary start."""
        return time.monotonic()

    def time(self) -> float:
        """Return seconds since the epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait for so many seconds; return at once if `interrupt()` is or was called."""
        self._interrupted.wait(seconds)

    def interrupt(self) -> None:
        """End the current sleep and all later ones."""
        self._interrupted.set()


class RateLimiter:
    """Allows at most `limit` requests within any `WINDOW`, and none before a time set by `hold`. Thread-safe.

    Bursts up to the limit are allowed, so that a small library is read at once. All times are those of one monotonic
    clock. A request counts from its beginning until a window after it was *answered*. JW Platform has seen it by then,
    so its count is never higher than ours, however slow the network is.

    Urgent requests go before all others. While somebody may send them, the others leave a tenth of the limit free (at
    least one request, if the limit is two or more), so that an urgent request need not wait for a long listing. That is
    all that the others lose as long as nothing urgent is sent.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._answered: deque[float] = deque(maxlen=limit)
        self._under_way = 0
        self._reservations = 0
        self._urgent_waiting = 0
        self._not_before = float("-inf")
        self._lock = threading.Lock()

    def reserve(self) -> None:
        """Keep room for urgent requests, until `unreserve` has been called as often as this."""
        with self._lock:
            self._reservations += 1

    def unreserve(self) -> None:
        """Take one reservation back."""
        with self._lock:
            self._reservations -= 1

    @contextmanager
    def urgent_in_line(self) -> Iterator[None]:
        """Let no other request begin, during the block, where an urgent one could."""
        with self._lock:
            self._urgent_waiting += 1
        try:
            yield
        finally:
            with self._lock:
                self._urgent_waiting -= 1

    def wait(self, now: float, *, urgent: bool = False) -> float:
        """Return the seconds until a request may be sent; it may become more if another thread is faster."""
        with self._lock:
            return self._wait(now, urgent)

    def begin(self, now: float, *, urgent: bool = False) -> float:
        """Return the same as `wait`; if that is 0, the request counts as begun, and `end` must be called after it."""
        with self._lock:
            wait = self._wait(now, urgent)
            self._under_way += wait == 0
            return wait

    def end(self, now: float) -> None:
        """Note that a request has ended, whether it succeeded or failed."""
        with self._lock:
            self._under_way -= 1
            self._answered.append(now)

    def hold(self, until: float) -> None:
        """Allow no request before the time `until`."""
        with self._lock:
            self._not_before = max(self._not_before, until)

    def _wait(self, now: float, urgent: bool) -> float:
        earliest = self._not_before
        allowed = self._limit if urgent else self._limit - max(self._reserved, self._urgent_waiting)
        # The index, in the order of their answers, of the request that has to leave the window before the next starts.
        surplus = len(self._answered) + self._under_way - allowed
        if surplus >= 0:
            last = self._answered[surplus] if surplus < len(self._answered) else now
            earliest = max(earliest, last + WINDOW)
        return max(0.0, earliest - now)

    @property
    def _reserved(self) -> int:
        return max(self._limit // 10, 1) if self._reservations and self._limit > 1 else 0


_shared: dict[tuple[str, str, int], RateLimiter] = {}
_sharing = threading.Lock()


def shared_limiter(origin: str, key: str, limit: int) -> RateLimiter:
    """Return the limiter that all clients in this process share if they use the same site and rate.

    It outlives the clients, because each asset of a run makes its own client. Other processes have their own limiters.
    """
    with _sharing:
        return _shared.setdefault((origin, key, limit), RateLimiter(limit))


def backoff(
    failures: int, *, first: float = BACKOFF_FIRST, most: float = BACKOFF_MOST, least_share: float = 0.5
) -> float:
    """Return the seconds to wait after so many failures in a row.

    The time doubles with every failure, from `first` to `most`. Random jitter, which leaves at least `least_share` of
    it, keeps several clients from retrying at the same moments.
    """
    ceiling: float = min(most, first * 2 ** min(failures - 1, 16))
    return ceiling * random.uniform(least_share, 1.0)  # noqa: S311


def asked_wait(status: int, headers: Mapping[str, str], document: Any, now: float) -> float | None:
    """Return the seconds that an answer asks us to wait, or None.

    They come from `Retry-After` (seconds or an HTTP date), from v2's `JW-Request-Remaining: 0`, or from the
    `rate_limit` that v1 puts into every body. They are relative to JW Platform's clock, so `now` (our time since the
    epoch) is used only if the answer has no `Date`.
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
            # Clocks may differ, but a window is never longer than this: a later reset must be a misunderstanding.
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
