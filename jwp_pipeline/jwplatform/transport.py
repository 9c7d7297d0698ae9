"""One HTTP transport for both Management APIs: paced, retried, within a deadline, and silent about secrets.

What is asked stands in v1.py and v2.py, what an answer means in answers.py and refusals.py, what it means that none
came in no_answer.py, how long to wait in pacing.py.

urllib3's Retry is left at single attempts, and the loop is ours: a v1 request must be signed anew for each attempt
(its nonce is refused the second time), v1 says in the *body* how long to wait, every attempt has to pass the rate
limiter, and all waits together have one deadline and are told to whoever shows progress. Retry knows none of these.
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
from jwp_pipeline.proxies import exceptions_for, proxy_for

UNUSABLE_TRIES = 6
"""Attempts at an answer that comes with status 200 and cannot be used. A service that is away comes back, and is worth
the whole deadline; a body that stays wrong is a fault nobody is mending while we wait."""

MOST_BYTES = 128 * 2**20
"""The largest answer that is read, unpacked. A page of 1000 resources, each with the longest description (25 kB) and
40 kB of custom properties, is half of it; usual pages are a hundredth. Reading one of this size takes 0.4 GB of
memory, and 1.3 GB where it consists of millions of tiny elements."""

_CHUNK = 65536
# Client errors by their number, and time-outs by their meaning: a proxy gave up waiting, or will not replay early data.
_TRY_AGAIN = (408, 425)
_log = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Call:
    """One GET request. `query` is sent as it is: already encoded, without the question mark."""

    url: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class Transport:
    """Sends calls and returns what their answers hold. Not thread-safe, but for `close()`."""

    def __init__(
        self, origin: str, options: ClientOptions, stats: RequestStats, credentials: Credentials, clock: Clock
    ) -> None:
        """`origin` is where all calls go, for messages and to find the proxy on the way there."""
        self._way = Way(_host(origin), proxy_for(origin))
        # None where the environment decides about proxies, as it does for all but loopback.
        self._proxies = exceptions_for(origin)
        self._options = options
        self._stats = stats
        self._credentials = credentials
        self._clock = clock
        self._limiter = options.limiter or RateLimiter(options.requests_per_minute)
        self._closed = False
        self._session = requests.Session()
        self._session.headers.update({"Accept": "application/json", "User-Agent": _user_agent()})
        # An auth of our own, though it does nothing: without one, requests would look into ~/.netrc and
        # overwrite the Authorization header with what it finds there.
        self._session.auth = lambda request: request
        _keep_queries_out_of_logs()

    def ask(self, operation: str, call: Callable[[], Call], read: Callable[[Answer], _T]) -> _T:
        """Send `call()`, until `read` takes the answer or the deadline has come.

        `operation` says what is done to which resource ("listing videos, page 3") and begins every message.
        `call` is called once for each attempt. `read` raises MalformedAnswer for an answer of the wrong shape.
        """
        try:
            return self._ask(operation, call, read)
        except JWPlatformError as error:
            raise error.retold(f"{operation[:1].upper()}{operation[1:]}: {error}") from None

    def close(self) -> None:
        """Close the session; a wait that goes on in another thread ends at once with Unreachable."""
        self._closed = True
        self._clock.interrupt()
        self._session.close()

    def _ask(self, operation: str, call: Callable[[], Call], read: Callable[[Answer], _T]) -> _T:
        patience = self._options.patience
        allowed = self._options.deadline if patience is None else min(self._options.deadline, patience.left())
        # Keeping to our own rate is no trouble of this request: it may take as long again, and in a run a whole window.
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
        """Attempts until one succeeds, or `allowed` seconds after `started`."""
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
                # Asked to come back at once, again and again, we would only hammer: then it is back-off too.
                wait = max(asked or backoff(tries), self._limiter.wait(now))
                if unusable >= UNUSABLE_TRIES or now + wait > give_up_at:
                    over = unusable < UNUSABLE_TRIES
                    if over and self._options.patience is not None:
                        self._options.patience.use_up()
                    raise error.retold(f"{error} ({self._tried(tries, now - started, asked, over=over)})") from None
                if asked:
                    # That is for all who share the limiter; backing off is for this request.
                    self._limiter.hold(now + asked)
                _log.warning("%s: %s Asking %s again in %.1f s.", operation, error, self._way.host, wait)
                self._pause(operation, str(error), not_before=now + wait, give_up_at=give_up_at, gives_up=True)
        raise AssertionError  # count() has no end

    def _tried(self, tries: int, seconds: float, asked: float | None, *, over: bool) -> str:
        """How often it was tried, and why no more."""
        told = "Tried once" if tries == 1 else f"Tried {tries} times in {seconds:.0f} s"
        if asked:
            told += f"; JW Platform asks to wait {asked:.0f} s more"
        if not over or self._options.patience is None:
            return f"{told}."
        minutes = f"{self._options.patience.limit / 60:g}"
        if asked:
            return f"{told}, and JWP_DEADLINE_MINUTES is {minutes}."
        return (
            f"{told}. Given up: {self._way.host} has sent nothing usable for as long as JWP_DEADLINE_MINUTES allows, "
            f"which is {minutes}."
        )

    def _send(self, make_call: Callable[[], Call], give_up_at: float) -> Answer:
        """One attempt that has begun, whole body. Raises Unreachable, RequestRefused."""
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
                # read1 returns what has come: a server that drips bytes passes every time-out but not the deadline.
                while chunk := response.raw.read1(_CHUNK, decode_content=True):
                    body += chunk
                    if len(body) > MOST_BYTES:
                        raise self._too_large(response)
                    if self._clock.monotonic() > give_up_at:
                        raise Unreachable("the answer was still coming in when the deadline was reached.")
        except (OSError, urllib3.exceptions.HTTPError) as error:
            # `from None`: the original's text holds the URL with its query string.
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
        # The last request that the present window allows says so: then the next one need not be refused.
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
        """Wait until a moment and until the limiter lets a request pass, which has begun then.

        Raises RateLimited at once where that cannot be by `give_up_at`. `gives_up`: whether that moment is the end of
        all attempts, and so worth telling.
        """
        started = now = self._clock.monotonic()
        while not self._closed:
            # Not begun ahead of time: it would hold up those who share the limiter.
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
            # Others may have been faster; a remainder of a moment is no news.
            if self._options.on_wait and (now == started or wait >= 1):
                left = give_up_at - now if gives_up else None
                self._options.on_wait(WaitNotice(wait, f"{operation}: {reason}", self._way.host, left))
            self._clock.sleep(wait)
            slept, now = now, self._clock.monotonic()
            self._stats.seconds_waiting += now - slept
        raise Unreachable("the client was closed meanwhile.")


def _size(octets: int) -> str:
    """A number of bytes for people."""
    return f"{octets / 2**20:.1f} MB" if octets >= 2**20 else f"{octets / 2**10:.1f} kB"


def _host(origin: str) -> str:
    """Host and port of an address, never its login; `JW Platform` where that cannot be told."""
    try:
        return urlsplit(origin).netloc.rpartition("@")[2] or "JW Platform"
    except ValueError:
        return "JW Platform"


def _user_agent() -> str:
    try:
        return f"jwp-pipeline/{version('jwp-pipeline')}"
    except PackageNotFoundError:
        return "jwp-pipeline"


class _QueryFilter(logging.Filter):
    """Takes query strings out of urllib3's debug lines: v1's hold the key and a signature."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                argument.partition("?")[0] + "?…" if isinstance(argument, str) and "?" in argument else argument
                for argument in record.args
            )
        return True


_query_filter = _QueryFilter()


def _keep_queries_out_of_logs() -> None:
    # v1's parameters could go in the body of a POST, but lists are documented, and by all known clients used, with GET.
    # For the whole process, for it is urllib3's one logger; nobody misses the queries of others there.
    logging.getLogger("urllib3.connectionpool").addFilter(_query_filter)
