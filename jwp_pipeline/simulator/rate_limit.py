"""JWP's limit on requests, counted either per minute of the clock or over a sliding minute."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

PRETENDED_LIMIT = 60


@dataclass(frozen=True, slots=True)
class Allowance:
    """Whether one request may go ahead, and JWP's counters after it. `reset` in epoch seconds."""

    allowed: bool
    limit: int
    remaining: int
    reset: int
    retry_after: int
    """Whole seconds until a request will be allowed."""


class RateLimiter:
    """Counts the requests that were allowed; one that is refused does not count. For one thread."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._taken: deque[float] = deque()

    def take(self, limit: int | None, minute: float, *, sliding: bool) -> Allowance:
        """Ask for one more request. `limit` None allows everything; `minute` is its length in seconds."""
        now = self._clock()
        opened = now - minute if sliding else now - now % minute
        while self._taken and self._taken[0] < opened:
            self._taken.popleft()
        free_at = self._taken[0] + minute if sliding and self._taken else opened + minute
        reset = math.ceil(now + minute if sliding else opened + minute)
        if limit is None:
            return Allowance(True, PRETENDED_LIMIT, PRETENDED_LIMIT - 1, reset, 0)
        allowed = len(self._taken) < limit
        if allowed:
            self._taken.append(now)
        return Allowance(allowed, limit, limit - len(self._taken), reset, max(math.ceil(free_at - now), 1))
