"""Limits how long a run may continue without a usable answer from JW Platform, over all its requests and clients.

The code here reads no clock: callers pass in the seconds that they measured.
"""

from __future__ import annotations

import threading

LAST_CHANCE = 10.0
"""Seconds that a request gets once the run's patience is used up, because JW Platform may be back by then."""


class Patience:
    """The patience of one run, shared by all its clients. Thread-safe.

    Only time spent on failed requests counts, and each usable answer resets the count. A run that makes progress may
    therefore take hours, and time spent on our own tables is never counted.
    """

    def __init__(self, seconds: float) -> None:
        self.limit = seconds
        self._spent = 0.0
        self._lock = threading.Lock()

    def left(self) -> float:
        """Return the seconds that the next request may take, including its retries. The result is never zero."""
        with self._lock:
            return max(self.limit - self._spent, min(LAST_CHANCE, self.limit))

    def failed(self, seconds: float) -> None:
        """Count the seconds that a failed request took."""
        with self._lock:
            self._spent += seconds

    def use_up(self) -> None:
        """Leave later requests only LAST_CHANCE, because one request has already run out of time."""
        with self._lock:
            self._spent = self.limit

    def succeeded(self) -> None:
        """Reset the count after a usable answer."""
        with self._lock:
            self._spent = 0.0
