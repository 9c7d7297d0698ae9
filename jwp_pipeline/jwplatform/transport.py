"""The HTTP transport of both Management APIs: it paces and retries requests within a deadline, and hides secrets.

v1.py and v2.py make the requests, wire.py sends a single one, answers.py and refusals.py interpret the answers,
no_answer.py explains why no answer came, pacing.py computes waits, and limiter.py keeps to our rate limit. Put here
when a request is sent, and when it is sent again.

A write is sent again only if it is known that JW Platform has not carried it out: there was no connection, or the
answer says that there were too many requests. After anything else, such as a time-out or HTTP 502, it may have been
carried out, so that WriteUncertain is raised at once.

We do not use urllib3's Retry. A v1 request must be signed again for each attempt (v1 refuses a nonce that it has seen),
v1 says in the *body* how long to wait, every attempt has to pass the rate limiter, and all waits share one deadline and
are reported as progress. Retry supports none of this.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import count
from typing import TypeVar

from jwp_pipeline import rate_limit
from jwp_pipeline.errors import (
    JWPlatformError,
    MalformedAnswer,
    RateLimited,
    TransientError,
    Unreachable,
    WriteUncertain,
)
from jwp_pipeline.jwplatform.answers import Answer
from jwp_pipeline.jwplatform.limiter import Limiter, RateLimiter
from jwp_pipeline.jwplatform.management import ClientOptions, RequestStats, WaitNotice
from jwp_pipeline.jwplatform.pacing import Clock, asked_wait, backoff
from jwp_pipeline.jwplatform.refusals import Credentials, error_of
from jwp_pipeline.jwplatform.wire import Call, Wire, uncertain
from jwp_pipeline.rate_limit import Lane

UNUSABLE_TRIES = 6
"""The number of attempts if answers have status 200 but cannot be used. We wait up to the deadline for a service that
is down, because it will come back; an answer that stays wrong will not get better while we wait."""

# These are client errors by their number but temporary by their meaning: a proxy gave up waiting for the request, or
# will not replay early data.
_TRY_AGAIN = (408, 425)
_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class Transport:
    """Sends calls and returns the content of their answers. Only `close()` may be called from another thread."""

    def __init__(
        self, origin: str, options: ClientOptions, stats: RequestStats, credentials: Credentials, clock: Clock
    ) -> None:
        """`origin` is the address of all calls; it is used in messages and to find the proxy."""
        self._wire = Wire(origin, options, credentials.masked, clock)
        self._way = self._wire.way
        self._options = options
        self._stats = stats
        self._credentials = credentials
        self._clock = clock
        self._limiter: Limiter = options.limiter or RateLimiter(options.requests_per_minute)
        self._closed = False
        if options.lane is Lane.EDITS:
            self._limiter.reserve()

    def ask(self, operation: str, call: Callable[[], Call], read: Callable[[Answer], _T]) -> _T:
        """Send `call()` until `read` accepts the answer or the deadline is reached, and return what `read` returns.

        `operation` says what is being done to which resource ("listing videos, page 3"); every message begins with it.
        `call` is called once for each attempt. `read` raises MalformedAnswer if the answer has the wrong shape. Raises
        JWPlatformError; if the call is not repeatable and may have been carried out, WriteUncertain.
        """
        try:
            return self._ask(operation, call, read)
        except JWPlatformError as error:
            raise error.with_message(f"{operation[:1].upper()}{operation[1:]}: {error}") from None

    def close(self) -> None:
        """Close the session. If another thread is waiting here, its wait ends at once with Unreachable."""
        if self._options.lane is Lane.EDITS and not self._closed:
            self._limiter.unreserve()
        self._closed = True
        self._clock.interrupt()
        self._wire.close()

    def _ask(self, operation: str, call: Callable[[], Call], read: Callable[[Answer], _T]) -> _T:
        patience = self._options.patience
        allowed = self._options.deadline if patience is None else min(self._options.deadline, patience.left())
        # Waiting for our own rate limit is not a failure, so it may take as long as the request itself, and a whole
        # window in a run.
        turn_within = allowed if patience is None else max(allowed, rate_limit.WINDOW)
        self._pause(operation, "keeping to the rate limit", give_up_at=self._clock.monotonic() + turn_within)
        started = self._clock.monotonic()
        try:
            result = self._try(operation, call, read, started=started, allowed=allowed)
        except (TransientError, WriteUncertain):
            if patience is not None:
                patience.failed(self._clock.monotonic() - started)
            raise
        if patience is not None:
            patience.succeeded()
        return result

    def _try(
        self,
        operation: str,
        call: Callable[[], Call],
        read: Callable[[Answer], _T],
        *,
        started: float,
        allowed: float,
    ) -> _T:
        """Make attempts until one succeeds, or until `allowed` seconds after `started`."""
        give_up_at = started + allowed
        unusable = 0
        for tries in count(1):
            sent: Call | None = None
            answer: Answer | None = None
            self._stats.requests += 1
            self._stats.retries += tries > 1
            try:
                sent, answer = self._send(call, give_up_at)
                return self._read(answer, read)
            except TransientError as error:
                if sent is not None and not sent.repeatable and not isinstance(error, RateLimited):
                    raise uncertain(error) from None
                unusable += answer is not None and answer.status < 300 and isinstance(error, MalformedAnswer)
                asked = self._asked_wait(answer)
                now = self._clock.monotonic()
                # If the server asks us to come back at once, we back off as well, so as not to flood it with requests.
                wait = max(asked or backoff(tries), self._limiter.wait(now, self._options.lane))
                if unusable >= UNUSABLE_TRIES or now + wait > give_up_at:
                    over = unusable < UNUSABLE_TRIES
                    if over and self._options.patience is not None:
                        self._options.patience.use_up()
                    raise error.with_message(
                        f"{error} ({self._attempts(tries, now - started, asked, over=over)})"
                    ) from None
                if asked:
                    # This wait applies to everyone who shares the limiter; a back-off applies to this request only.
                    self._limiter.hold(now, asked)
                _log.warning("%s: %s Asking %s again in %.1f s.", operation, error, self._way.host, wait)
                self._pause(operation, str(error), not_before=now + wait, give_up_at=give_up_at, gives_up=True)
        raise AssertionError  # count() has no end

    def _attempts(self, tries: int, seconds: float, asked: float | None, *, over: bool) -> str:
        """Say how often the request was tried, and why it is not tried again."""
        attempts = "Tried once" if tries == 1 else f"Tried {tries} times in {seconds:.0f} s"
        if asked:
            attempts += f"; JW Platform asks to wait {asked:.0f} s more"
        if not over or self._options.patience is None:
            return f"{attempts}."
        minutes = f"{self._options.patience.limit / 60:g}"
        if asked:
            return f"{attempts}, and JWP_DEADLINE_MINUTES is {minutes}."
        return (
            f"{attempts}. Given up: {self._way.host} has sent nothing usable for as long as JWP_DEADLINE_MINUTES "
            f"allows, which is {minutes}."
        )

    def _send(self, make_call: Callable[[], Call], give_up_at: float) -> tuple[Call, Answer]:
        """Make one attempt, which the limiter has counted as begun."""
        try:
            call = make_call()
            return call, self._wire.send(call, give_up_at)
        finally:
            self._limiter.end(self._clock.monotonic())

    def _read(self, answer: Answer, read: Callable[[Answer], _T]) -> _T:
        if answer.status in _TRY_AGAIN:
            raise Unreachable(
                f"JW Platform, or a proxy before it, answers HTTP {answer.status}: it did not wait for us."
            )
        error = error_of(answer, self._credentials, self._way)
        if error is not None:
            raise error
        result = read(answer)
        # The answer to the last request that the current window allows says so. Waiting then avoids a refusal.
        if wait := self._asked_wait(answer):
            self._limiter.hold(self._clock.monotonic(), wait)
        return result

    def _asked_wait(self, answer: Answer | None) -> float | None:
        if answer is None:
            return None
        return asked_wait(answer.status, answer.headers, answer.document, self._clock.time())

    def _pause(
        self,
        operation: str,
        reason: str,
        *,
        not_before: float = float("-inf"),
        give_up_at: float,
        gives_up: bool = False,
    ) -> None:
        """Wait until `not_before` and until the limiter allows a request, which then counts as begun.

        Raises RateLimited at once if that is not possible by `give_up_at`. `gives_up` says whether all attempts end at
        that time, so that notices should mention it.
        """
        with self._limiter.in_line(self._options.lane):
            self._wait_for_turn(operation, reason, not_before, give_up_at, gives_up=gives_up)

    def _wait_for_turn(
        self, operation: str, reason: str, not_before: float, give_up_at: float, *, gives_up: bool
    ) -> None:
        lane = self._options.lane
        started = now = self._clock.monotonic()
        while not self._closed:
            # The request must not count as begun too early, or it would delay others who share the limiter.
            early = not_before - now
            wait = max(early, self._limiter.wait(now, lane)) if early > 0 else self._limiter.begin(now, lane)
            if wait <= 0:
                return
            if now + wait > give_up_at:
                raise RateLimited(
                    f"no request may be sent for {wait:.0f} s: JWP_REQUESTS_PER_MINUTE "
                    f"({self._options.requests_per_minute}) is used up by this process or by others of the site, or "
                    "JW Platform asked them to wait. Try again after that."
                )
            # Another thread may have been faster, so that we wait again; a very short wait is not reported.
            if self._options.on_wait and (now == started or wait >= 1):
                left = give_up_at - now if gives_up else None
                self._options.on_wait(WaitNotice(wait, f"{operation}: {reason}", self._way.host, left))
            self._clock.sleep(wait)
            slept, now = now, self._clock.monotonic()
            self._stats.seconds_waiting += now - slept
        raise Unreachable("the client was closed meanwhile.")
