"""Tells the time, and computes the waits that JW Platform asks for and those after failures.

Only `Clock` reads the time; everything else gets the time from its caller. limiter.py keeps to our own rate limit.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from jwp_pipeline import rate_limit

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
        return rate_limit.WINDOW - server_now % rate_limit.WINDOW
    rate = document.get("rate_limit") if isinstance(document, dict) else None
    if isinstance(rate, dict):
        reset = _integer(rate.get("reset"))
        if reset is not None and (_integer(rate.get("remaining")) == 0 or status == 429):
            # Clocks may differ, but a window is never longer than this: a later reset must be a misunderstanding.
            return min(max(reset - server_now, 1.0), rate_limit.WINDOW)
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
