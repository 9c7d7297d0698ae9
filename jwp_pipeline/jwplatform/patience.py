"""How long a run may go on without a usable answer from JW Platform, over all its requests and clients together.

Pure: moments are handed in, those of one monotonic clock.
"""

from __future__ import annotations

import threading

LAST_CHANCE = 10.0
"""Seconds that a request is given when the run's patience is used up: JW Platform may be back meanwhile."""


class Patience:
    """One for each run, shared by all its clients. Thread-safe.

    Only time spent on requests counts, and each usable answer sets it back: a run that goes forward may take hours,
    and one that works on its own tables is not waiting for anybody.
    """

    def __init__(self, seconds: float) -> None:
        self.limit = seconds
        self._spent = 0.0
        self._lock = threading.Lock()

    def left(self) -> float:
        """Seconds that the next request may take with all its retries: never none at all."""
        with self._lock:
            return max(self.limit - self._spent, min(LAST_CHANCE, self.limit))

    def failed(self, seconds: float) -> None:
        """Count the seconds that a request took in vain."""
        with self._lock:
            self._spent += seconds

    def use_up(self) -> None:
        """Leave the requests to come only their last chance: one has been given up for want of time."""
        with self._lock:
            self._spent = self.limit

    def succeeded(self) -> None:
        """Begin anew: there was a usable answer."""
        with self._lock:
            self._spent = 0.0
