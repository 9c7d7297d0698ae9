"""One HTTP transport for both Management APIs: paced, retried, within a deadline, and silent about secrets.

Not here: what is asked (v1.py, v2.py), what an answer means (answers.py), how long to wait (pacing.py).

urllib3's Retry is left at single attempts, and the loop is ours: a v1 request must be signed anew for each attempt
(its nonce is refused the second time), v1 says in the *body* how long to wait, every attempt has to pass the rate
limiter, and all waits together have one deadline and are told to whoever shows progress. Retry knows none of these.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from itertools import count
from typing import TypeVar

import requests
import urllib3

from jwp_pipeline.errors import (
    JWPlatformError,
    MalformedAnswer,
    RateLimited,
    RequestRefused,
    TransientError,
    Unreachable,
)
from jwp_pipeline.jwplatform.answers import Answer, Credentials, decode, error_of
from jwp_pipeline.jwplatform.management import ClientOptions, RequestStats, WaitNotice
from jwp_pipeline.jwplatform.pacing import Clock, RateLimiter, asked_wait, backoff

UNUSABLE_TRIES = 6
"""Attempts at an answer that comes with status 200 and cannot be used. A service that is away comes back, and is worth
the whole deadline; a body that stays wrong is a fault nobody is mending while we wait."""

_CHUNK = 65536
_NO_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    urllib3.exceptions.LocationValueError,
)
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

    def __init__(self, options: ClientOptions, stats: RequestStats, credentials: Credentials, clock: Clock) -> None:
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
            raise type(error)(f"{operation[:1].upper()}{operation[1:]}: {error}") from None

    def close(self) -> None:
        """Close the session; a wait that goes on in another thread ends at once with Unreachable."""
        self._closed = True
        self._clock.interrupt()
        self._session.close()

    def _ask(self, operation: str, call: Callable[[], Call], read: Callable[[Answer], _T]) -> _T:
        # Keeping to our own rate is no trouble of this request: it may take as long again.
        self._pause(
            f"{operation}: keeping to the rate limit", give_up_at=self._clock.monotonic() + self._options.deadline
        )
        started = self._clock.monotonic()
        give_up_at = started + self._options.deadline
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
                spent = now - started
                if unusable >= UNUSABLE_TRIES or spent + wait > self._options.deadline:
                    tried = "once" if tries == 1 else f"{tries} times in {spent:.0f} s"
                    asks = f"; JW Platform asks to wait {asked:.0f} s more" if asked else ""
                    raise type(error)(f"{error} (Tried {tried}{asks}.)") from None
                if asked:
                    # That is for all who share the limiter; backing off is for this request.
                    self._limiter.hold(now + asked)
                _log.warning("%s: %s Trying again in %.1f s.", operation, error, wait)
                self._pause(f"{operation}: {error}", not_before=now + wait, give_up_at=give_up_at)
        raise AssertionError  # count() has no end

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
                url, headers=dict(call.headers), timeout=timeout, stream=True, allow_redirects=False
            ) as response:
                body = bytearray()
                # read1 returns what has come: a server that drips bytes passes every time-out but not the deadline.
                while chunk := response.raw.read1(_CHUNK, decode_content=True):
                    body += chunk
                    if self._clock.monotonic() > give_up_at:
                        raise Unreachable("the answer was still coming in when the deadline was reached.")
        except (OSError, urllib3.exceptions.HTTPError) as error:
            # `from None`: the original's text holds the URL with its query string.
            raise _failure(error) from None
        return decode(response.status_code, response.headers, bytes(body))

    def _read(self, answer: Answer, read: Callable[[Answer], _T]) -> _T:
        if answer.status in _TRY_AGAIN:
            raise Unreachable(
                f"JW Platform, or a proxy before it, answers HTTP {answer.status}: it did not wait for us."
            )
        error = error_of(answer, self._credentials)
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

    def _pause(self, reason: str, *, not_before: float = float("-inf"), give_up_at: float) -> None:
        """Wait until a moment and until the limiter lets a request pass, which has begun then.

        Raises RateLimited at once where that cannot be by `give_up_at`.
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
                self._options.on_wait(WaitNotice(wait, reason))
            self._clock.sleep(wait)
            slept, now = now, self._clock.monotonic()
            self._stats.seconds_waiting += now - slept
        raise Unreachable("the client was closed meanwhile.")


def _failure(error: BaseException) -> JWPlatformError:
    """What it means that no answer came; asking again helps neither an address that is none nor TLS that is refused."""
    if isinstance(error, _NO_ADDRESS):
        return RequestRefused(
            f"there is no such address ({type(error).__name__}). Check JWPLATFORM_MANAGEMENT_API_URL, and the proxy "
            "that the environment names, if any."
        )
    cut = any(isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError | ConnectionError) for cause in _causes(error))
    if isinstance(error, requests.exceptions.SSLError) and not cut:
        return RequestRefused(
            f"{_reason(error)}. Check whether JWPLATFORM_MANAGEMENT_API_URL should say http or https, and the server's "
            "certificate (REQUESTS_CA_BUNDLE names a file of others to trust)."
        )
    # requests' own errors are OSErrors; the one that is nothing else comes from its looking for that file.
    if type(error) is OSError and error.errno is None:
        return RequestRefused(
            "the certificates to trust cannot be read. Check the file that REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names."
        )
    return Unreachable(f"{_reason(error)}. Check the network, and JWPLATFORM_MANAGEMENT_API_URL if it is set.")


def _reason(error: BaseException) -> str:
    """Why no answer came, in words that hold no URL."""
    if isinstance(error, requests.ConnectTimeout):
        return "no connection to JW Platform within the time-out"
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return "no answer from JW Platform within the time-out"
    for cause in _causes(error):
        if isinstance(cause, urllib3.exceptions.IncompleteRead):
            return "the connection was cut in mid-answer"
        # requests' own errors are OSErrors too, without a strerror.
        if isinstance(cause, OSError) and cause.strerror:
            what = "TLS connection" if isinstance(cause, ssl.SSLError) else "connection"
            return f"no {what} to JW Platform: {cause.strerror}"
    return f"the connection to JW Platform failed ({type(error).__name__})"


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


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
