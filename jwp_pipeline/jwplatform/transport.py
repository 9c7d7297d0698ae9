"""The HTTP transport of both Management APIs: it paces and retries requests within a deadline, and hides secrets.

v1.py and v2.py make the requests, answers.py and refusals.py interpret the answers, no_answer.py explains why no answer
came, and pacing.py computes the waits. Put here how a request is sent and when it is sent again.

We do not use urllib3's Retry. A v1 request must be signed again for each attempt (v1 refuses a nonce that it has seen),
v1 says in the *body* how long to wait, every attempt has to pass the rate limiter, and all waits share one deadline and
are reported as progress. Retry supports none of this.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from itertools import count
from typing import TypeVar
from urllib.parse import urlsplit

import requests
import urllib3

from jwp_pipeline.errors import (
    AnswerTooLarge,
    JWPlatformError,
    MalformedAnswer,
    RateLimited,
    TransientError,
    Unreachable,
)
from jwp_pipeline.jwplatform.answers import Answer, decode
from jwp_pipeline.jwplatform.management import ClientOptions, RequestStats, WaitNotice
from jwp_pipeline.jwplatform.no_answer import no_answer
from jwp_pipeline.jwplatform.pacing import WINDOW, Clock, RateLimiter, asked_wait, backoff
from jwp_pipeline.jwplatform.refusals import Credentials, Way, error_of, quotable
from jwp_pipeline.masking import keep_queries_out_of_logs
from jwp_pipeline.proxies import exceptions_for, proxy_for

UNUSABLE_TRIES = 6
"""The number of attempts if answers have status 200 but cannot be used. We wait up to the deadline for a service that
is down, because it will come back; an answer that stays wrong will not get better while we wait."""

MOST_BYTES = 128 * 2**20
"""The largest answer that is read, after decompression. A page of 1000 resources, each with the longest description
(25 kB) and 40 kB of custom properties, is half as large; ordinary pages are a hundredth of it. Reading an answer of
this size takes 0.4 GB of memory, and 1.3 GB if it consists of millions of tiny elements."""

_CHUNK = 65536
# These are client errors by their number but temporary by their meaning: a proxy gave up waiting for the request, or
# will not replay early data.
_TRY_AGAIN = (408, 425)
_log = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Call:
    """One GET request. `query` is already encoded, has no question mark, and is sent as it is."""

    url: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class Transport:
    """Sends calls and returns the content of their answers. Only `close()` may be called from another thread."""

    def __init__(
        self, origin: str, options: ClientOptions, stats: RequestStats, credentials: Credentials, clock: Clock
    ) -> None:
        """`origin` is the address of all calls; it is used in messages and to find the proxy."""
        self._way = Way(host_of(origin), proxy_for(origin))
        # None means that the environment decides about proxies, as it does for every host except loopback.
        self._proxies = exceptions_for(origin)
        self._options = options
        self._stats = stats
        self._credentials = credentials
        self._clock = clock
        self._limiter = options.limiter or RateLimiter(options.requests_per_minute)
        self._closed = False
        self._session = requests.Session()
        self._session.headers.update({"Accept": "application/json", "User-Agent": _user_agent()})
        # This auth does nothing, but without one requests would read ~/.netrc and overwrite the Authorization header
        # with what it finds there.
        self._session.auth = lambda request: request
        keep_queries_out_of_logs()

    def ask(self, operation: str, call: Callable[[], Call], read: Callable[[Answer], _T]) -> _T:
        """Send `call()` until `read` accepts the answer or the deadline is reached.

        `operation` says what is being done to which resource ("listing videos, page 3"); every message begins with it.
        `call` is called once for each attempt. `read` raises MalformedAnswer if the answer has the wrong shape.
        """
        try:
            return self._ask(operation, call, read)
        except JWPlatformError as error:
            raise error.with_message(f"{operation[:1].upper()}{operation[1:]}: {error}") from None

    def close(self) -> None:
        """Close the session. If another thread is waiting here, its wait ends at once with Unreachable."""
        self._closed = True
        self._clock.interrupt()
        self._session.close()

    def _ask(self, operation: str, call: Callable[[], Call], read: Callable[[Answer], _T]) -> _T:
        patience = self._options.patience
        allowed = self._options.deadline if patience is None else min(self._options.deadline, patience.left())
        # Waiting for our own rate limit is not a failure, so it may take as long as the request itself, and a whole
        # window in a run.
        turn_within = allowed if patience is None else max(allowed, WINDOW)
        self._pause(operation, "keeping to the rate limit", give_up_at=self._clock.monotonic() + turn_within)
        started = self._clock.monotonic()
        try:
            result = self._try(operation, call, read, started=started, allowed=allowed)
        except TransientError:
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
            answer: Answer | None = None
            self._stats.requests += 1
            self._stats.retries += tries > 1
            try:
                answer = self._send(call, give_up_at)
                return self._read(answer, read)
            except TransientError as error:
                unusable += answer is not None and answer.status < 300 and isinstance(error, MalformedAnswer)
                asked = self._asked_wait(answer)
                now = self._clock.monotonic()
                # If the server asks us to come back at once, we back off as well, so as not to flood it with requests.
                wait = max(asked or backoff(tries), self._limiter.wait(now))
                if unusable >= UNUSABLE_TRIES or now + wait > give_up_at:
                    over = unusable < UNUSABLE_TRIES
                    if over and self._options.patience is not None:
                        self._options.patience.use_up()
                    raise error.with_message(
                        f"{error} ({self._attempts(tries, now - started, asked, over=over)})"
                    ) from None
                if asked:
                    # This wait applies to everyone who shares the limiter; a back-off applies to this request only.
                    self._limiter.hold(now + asked)
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

    def _send(self, make_call: Callable[[], Call], give_up_at: float) -> Answer:
        """Make one attempt, which the limiter has counted as begun, and read the whole body."""
        try:
            return self._fetch(make_call(), give_up_at)
        finally:
            self._limiter.end(self._clock.monotonic())

    def _fetch(self, call: Call, give_up_at: float) -> Answer:
        remaining = max(0.1, give_up_at - self._clock.monotonic())
        timeout = (
            min(self._options.connect_timeout, remaining),
            min(self._options.read_timeout, remaining),
        )
        url = f"{call.url}?{call.query}" if call.query else call.url
        try:
            with self._session.get(
                url,
                headers=dict(call.headers),
                timeout=timeout,
                stream=True,
                allow_redirects=False,
                proxies=self._proxies,
            ) as response:
                body = bytearray()
                # read1 returns whatever has arrived. A server that sends single bytes slowly never hits a time-out, so
                # the deadline is checked here.
                while chunk := response.raw.read1(_CHUNK, decode_content=True):
                    body += chunk
                    if len(body) > MOST_BYTES:
                        raise self._too_large(response)
                    if self._clock.monotonic() > give_up_at:
                        raise Unreachable("the answer was still coming in when the deadline was reached.")
        except (OSError, urllib3.exceptions.HTTPError) as error:
            # `from None`, because the text of the original error contains the URL with its query string.
            raise no_answer(error, self._way) from None
        return decode(response.status_code, response.headers, body)

    def _too_large(self, response: requests.Response) -> AnswerTooLarge:
        packed = response.headers.get("Content-Encoding")
        came = (
            f" (packed with {quotable(packed, self._credentials.masked)}: {_size(response.raw.tell())})"
            if packed
            else ""
        )
        announced = response.headers.get("Content-Length", "")
        of = f" of {_size(int(announced))} announced" if not packed and re.fullmatch("[0-9]{1,15}", announced) else ""
        return AnswerTooLarge(
            f"{self._way.host} answers HTTP {response.status_code} with more than {_size(MOST_BYTES)}{of}{came}. "
            "No page of a listing is that large. The rest was not read. Look at what answers at that address."
        )

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
            self._limiter.hold(self._clock.monotonic() + wait)
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
        started = now = self._clock.monotonic()
        while not self._closed:
            # The request must not count as begun too early, or it would delay others who share the limiter.
            early = not_before - now
            wait = max(early, self._limiter.wait(now)) if early > 0 else self._limiter.begin(now)
            if wait <= 0:
                return
            if now + wait > give_up_at:
                raise RateLimited(
                    f"this process may send no request for {wait:.0f} s: JWP_REQUESTS_PER_MINUTE "
                    f"({self._options.requests_per_minute}) is used up, or JW Platform asked it to wait. Try again "
                    "after that."
                )
            # Another thread may have been faster, so that we wait again; a very short wait is not reported.
            if self._options.on_wait and (now == started or wait >= 1):
                left = give_up_at - now if gives_up else None
                self._options.on_wait(WaitNotice(wait, f"{operation}: {reason}", self._way.host, left))
            self._clock.sleep(wait)
            slept, now = now, self._clock.monotonic()
            self._stats.seconds_waiting += now - slept
        raise Unreachable("the client was closed meanwhile.")


def _size(octets: int) -> str:
    """Write a number of bytes for people to read."""
    return f"{octets / 2**20:.1f} MB" if octets >= 2**20 else f"{octets / 2**10:.1f} kB"


def host_of(origin: str) -> str:
    """Return the host and port of an address, without its login; `JW Platform` if it cannot be parsed."""
    try:
        return urlsplit(origin).netloc.rpartition("@")[2] or "JW Platform"
    except ValueError:
        return "JW Platform"


def _user_agent() -> str:
    try:
        return f"jwp-pipeline/{version('jwp-pipeline')}"
    except PackageNotFoundError:
        return "jwp-pipeline"
