"""Sends one request and reads its whole answer, within a time, a size, and without showing secrets.

transport.py decides when a request is sent and whether it is sent again. Put here what concerns a single attempt, and
whether it can have arrived.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Literal
from urllib.parse import urlsplit

import requests
import urllib3

from jwp_pipeline.errors import AnswerTooLarge, JWPlatformError, Unreachable, WriteUncertain
from jwp_pipeline.jwplatform.answers import Answer, decode
from jwp_pipeline.jwplatform.management import ClientOptions
from jwp_pipeline.jwplatform.no_answer import no_answer
from jwp_pipeline.jwplatform.pacing import Clock
from jwp_pipeline.jwplatform.refusals import Way, quotable
from jwp_pipeline.masking import Masker, keep_queries_out_of_logs
from jwp_pipeline.proxies import exceptions_for, proxy_for

MOST_BYTES = 128 * 2**20
"""The largest answer that is read, after decompression. A page of 1000 resources, each with the longest description
(25 kB) and 40 kB of custom properties, is half as large; ordinary pages are a hundredth of it. Reading an answer of
this size takes 0.4 GB of memory, and 1.3 GB if it consists of millions of tiny elements."""

LEAST_FOR_WRITE = 10.0
"""Seconds that a write gets even at the end of the deadline. To cut it short would leave its result uncertain."""

_CHUNK = 65536


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `query` is already encoded, has no question mark, and is sent as it is."""

    url: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    method: Literal["GET", "POST", "PATCH", "PUT"] = "GET"
    body: bytes = field(default=b"", repr=False)
    repeatable: bool = True
    """Whether the request may be sent again if it is not known whether it has arrived. Writes may not."""


class Wire:
    """One session with the address of a Management API. Only `close()` may be called from another thread."""

    def __init__(self, origin: str, options: ClientOptions, masked: Masker, clock: Clock) -> None:
        """`origin` is the address of all calls; it is used in messages and to find the proxy."""
        self.way = Way(host_of(origin), proxy_for(origin))
        # None means that the environment decides about proxies, as it does for every host except loopback.
        self._proxies = exceptions_for(origin)
        self._options = options
        self._masked = masked
        self._clock = clock
        self._session = requests.Session()
        self._session.headers.update({"Accept": "application/json", "User-Agent": _user_agent()})
        # This auth does nothing, but without one requests would read ~/.netrc and overwrite the Authorization header
        # with what it finds there.
        self._session.auth = lambda request: request
        keep_queries_out_of_logs()

    def send(self, call: Call, give_up_at: float) -> Answer:
        """Send a request and read the whole answer, whatever its status.

        Raises TransientError or PermanentError if no answer came, and WriteUncertain instead if the call is not
        repeatable and may have arrived.
        """
        body = _Body(call.body)
        if not call.repeatable:
            give_up_at = max(give_up_at, self._clock.monotonic() + LEAST_FOR_WRITE)
        try:
            return self._fetch(call, body, give_up_at)
        except JWPlatformError as error:
            if call.repeatable or not body.begun:
                raise
            raise uncertain(error) from None

    def close(self) -> None:
        """Close the session."""
        self._session.close()

    def _fetch(self, call: Call, sent: _Body, give_up_at: float) -> Answer:
        remaining = max(0.1, give_up_at - self._clock.monotonic())
        timeout = (
            min(self._options.connect_timeout, remaining),
            min(self._options.read_timeout, remaining),
        )
        url = f"{call.url}?{call.query}" if call.query else call.url
        try:
            with self._session.request(
                call.method,
                url,
                headers=dict(call.headers),
                data=sent if call.body else None,
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
            raise no_answer(error, self.way) from None
        return decode(response.status_code, response.headers, body)

    def _too_large(self, response: requests.Response) -> AnswerTooLarge:
        packed = response.headers.get("Content-Encoding")
        came = f" (packed with {quotable(packed, self._masked)}: {_size(response.raw.tell())})" if packed else ""
        announced = response.headers.get("Content-Length", "")
        of = f" of {_size(int(announced))} announced" if not packed and re.fullmatch("[0-9]{1,15}", announced) else ""
        return AnswerTooLarge(
            f"{self.way.host} answers HTTP {response.status_code} with more than {_size(MOST_BYTES)}{of}{came}. "
            "No page of a listing is that large. The rest was not read. Look at what answers at that address."
        )


def uncertain(error: JWPlatformError) -> WriteUncertain:
    """Return the error for a write that may have been carried out, although it ended with this error."""
    return WriteUncertain(
        f"{error} JW Platform may have carried out the change all the same, so it was not sent again: what JW Platform "
        "has now must be looked at first. The next push does that by itself.",
        error.status,
    )


class _Body(io.BytesIO):
    """A body that remembers whether the sending of it has begun. Until then, the server cannot act on the request."""

    begun = False

    def read(self, size: int | None = -1, /) -> bytes:
        self.begun = True
        return super().read(size)


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
