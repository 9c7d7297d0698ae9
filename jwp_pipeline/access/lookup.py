"""Asks Lookup for the institutions and groups of people, and remembers the answers (semantics §10).

A decision must come in time and must not fail because of Lookup. So each request is made by a thread of its own, which
the decision waits for until LOOKUP_TIMEOUT_SECONDS; callers who ask about the same person meanwhile wait for the same
request, and those who find too many requests under way wait for one to end. lookup_api.py makes the requests.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from functools import cache
from typing import Any

from cachetools import TTLCache

from jwp_pipeline.access.lookup_api import LookupApi, LookupFailed
from jwp_pipeline.access.people import Membership
from jwp_pipeline.access.users import username_of
from jwp_pipeline.settings import Settings, load_settings

MOST_PEOPLE = 10_000
"""The number of people whose answers are remembered; the oldest are forgotten first."""
MOST_AT_ONCE = 32
"""The number of requests at the same time. While Lookup does not answer, no more threads than these wait for it."""

_NOBODY = Membership()
_log = logging.getLogger(__name__)


class Lookup:
    """The institutions and groups of people, as Lookup knows them. It can be shared by all threads.

    `clock` gives the seconds by which remembered answers age.
    """

    def __init__(self, settings: Settings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._seconds = settings.lookup_timeout_seconds
        self._said_that_there_is_none = False
        self._begin()

    def membership(self, user: Any) -> Membership:
        """Return the institutions and groups of a user or username; empty for the anonymous user.

        It takes at most LOOKUP_TIMEOUT_SECONDS, and never raises an exception. If Lookup does not answer in time, the
        result is empty and nothing is remembered.
        """
        username = user if isinstance(user, str) else username_of(user)
        if not username or not username.strip():
            return _NOBODY
        if self._settings.lookup_root is None:
            self._say_once_that_there_is_none()
            return _NOBODY
        if self._process != os.getpid():
            # After a fork the threads are gone, and locks and connections belong to the parent.
            self._begin()
        deadline = time.monotonic() + self._seconds
        known, answer = self._known_or_asked(username, deadline)
        if known is not None:
            return known
        try:
            if answer is not None:
                return answer.result(max(0.0, deadline - time.monotonic()))
            reason = f"{MOST_AT_ONCE} other requests took all of LOOKUP_TIMEOUT_SECONDS ({self._seconds:g})"
        except Late:
            reason = f"there was no answer within LOOKUP_TIMEOUT_SECONDS ({self._seconds:g})"
        except LookupFailed as failed:
            reason = str(failed)
        _log.warning(
            "Lookup could not be asked about %r: %s. Until it answers, groups and institutions grant them nothing.",
            username[:80],
            reason,
        )
        return _NOBODY

    def _begin(self) -> None:
        lifetime = self._settings.lookup_people_cache_lifetime
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._one_ended = threading.Condition(self._lock)
        self._known: TTLCache[str, Membership] = TTLCache(MOST_PEOPLE, lifetime, timer=self._clock)
        self._asked: dict[str, Future[Membership]] = {}
        self._api = LookupApi(self._settings) if self._settings.lookup_root is not None else None

    def _known_or_asked(self, username: str, deadline: float) -> tuple[Membership | None, Future[Membership] | None]:
        """Return what is remembered about a person, or else the request about them.

        Both are None if too many other requests are under way until the deadline.
        """
        with self._lock:
            while True:
                if (known := self._known.get(username)) is not None:
                    return known, None
                if (answer := self._asked.get(username)) is not None:
                    return None, answer
                if (seconds := deadline - time.monotonic()) <= 0:
                    return None, None
                if len(self._asked) < MOST_AT_ONCE:
                    break
                self._one_ended.wait(seconds)
            answer = self._asked[username] = Future()
            # A daemon thread, because the application must be able to end while Lookup hangs.
            threading.Thread(target=self._ask, args=(username, answer), name="lookup", daemon=True).start()
            return None, answer

    def _ask(self, username: str, answer: Future[Membership]) -> None:
        assert self._api is not None  # noqa: S101 - only asked if there is a Lookup
        membership, failure = None, None
        try:
            membership = self._api.membership(username)
        except LookupFailed as failed:
            failure = failed
        except BaseException as unexpected:
            failure = LookupFailed(f"{type(unexpected).__name__} was raised")
            _log.error("Asking Lookup failed unexpectedly: %s", type(unexpected).__name__)
        with self._lock:
            self._asked.pop(username, None)
            if membership is not None:
                self._known[username] = membership
            # All of them, because those who wait for the same person share one request.
            self._one_ended.notify_all()
        if membership is not None:
            answer.set_result(membership)
        else:
            answer.set_exception(failure)

    def _say_once_that_there_is_none(self) -> None:
        if not self._said_that_there_is_none:
            self._said_that_there_is_none = True
            _log.warning("LOOKUP_ROOT is not set, so groups and institutions grant nobody anything.")


@cache
def default_lookup() -> Lookup:
    """Return the Lookup of the settings in the environment, the same one each time. Raises SettingsError."""
    return Lookup(load_settings())
