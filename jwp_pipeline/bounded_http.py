"""Sends single GET requests that are bounded in time and size, and follow no redirect.

This is for services that an application waits for: the Delivery API and Lookup. jwplatform/transport.py has its own
rules for the Management APIs, which a sync waits for.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from typing import NamedTuple

import requests
import urllib3

from jwp_pipeline.masking import keep_queries_out_of_logs
from jwp_pipeline.proxies import exceptions_for

_CHUNK = 65_536


class Response(NamedTuple):
    """A complete answer."""

    status: int
    body: bytes


class NoResponse(Exception):
    """There was no complete answer. The message is the reason as part of a sentence, and contains no URL."""


def get(
    session: requests.Session,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    seconds: float,
    most_bytes: int,
) -> Response:
    """Send a GET request, and return an answer that arrived within `seconds` and has at most `most_bytes`.

    Each wait for the server is bounded by `seconds`, and so is the time for the whole body. It can take longer in all:
    looking up the host is not bounded, each of its addresses is tried for `seconds`, and headers may come byte by byte.
    Where that matters, use `get_in_time`. Raises NoResponse.
    """
    keep_queries_out_of_logs()
    deadline = time.monotonic() + seconds
    try:
        with session.get(
            url,
            headers=dict(headers or {}),
            timeout=seconds,
            stream=True,
            allow_redirects=False,
            # Without an auth, requests would read ~/.netrc and send what it finds there.
            auth=lambda request: request,
            proxies=exceptions_for(url),
        ) as response:
            return Response(response.status_code, _body(response, seconds, deadline, most_bytes))
    except (OSError, ValueError, urllib3.exceptions.HTTPError) as error:
        # `from None`, because the text of the original error contains the URL with its query string.
        raise NoResponse(_reason(error, seconds)) from None


def get_in_time(session: requests.Session, url: str, *, seconds: float, most_bytes: int) -> Response:
    """Do what `get` does, and return or raise NoResponse after `seconds`, whatever the network does.

    The request is made by a thread of its own. If the answer is late, that thread ends when `get` does.
    """
    answer: Future[Response] = Future()

    def ask() -> None:
        try:
            answer.set_result(get(session, url, seconds=seconds, most_bytes=most_bytes))
        except BaseException as error:
            answer.set_exception(error)

    # A daemon, because the application must be able to end while the network hangs. The context is what tracing needs.
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(ask,), name="bounded-http", daemon=True).start()
    try:
        return answer.result(seconds)
    except Late:
        raise NoResponse(f"there was no answer within {seconds:g} s") from None


def reading(*, seconds: float, most_bytes: int) -> Callable[..., None]:
    """Return a response hook of requests that reads the body within these bounds.

    This is for libraries that send requests themselves. The request must be streamed (`stream=True`). The hook raises
    NoResponse.
    """
    deadline = time.monotonic() + seconds

    def read(response: requests.Response, *_: object, **__: object) -> None:
        # requests has no public way to hand over a body that was read; its attribute has had this name since 2011.
        response._content = _body(response, seconds, deadline, most_bytes)

    return read


def _body(response: requests.Response, seconds: float, deadline: float, most_bytes: int) -> bytes:
    body = bytearray()
    # read1 returns whatever has arrived, so that a server that sends single bytes slowly is noticed.
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        body += chunk
        if len(body) > most_bytes:
            raise NoResponse(f"the answer is larger than {most_bytes} bytes")
        if time.monotonic() > deadline:
            raise NoResponse(f"the answer did not end within {seconds:g} s")
    return bytes(body)


def _reason(error: Exception, seconds: float) -> str:
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError | TimeoutError):
        return f"there was no answer within {seconds:g} s"
    if isinstance(error, requests.exceptions.SSLError):
        return "the server's certificate was not accepted, or the server does not speak TLS"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy that the environment names did not let the request through"
    if isinstance(error, ValueError):
        return f"the address cannot be used ({type(error).__name__})"
    return f"the connection failed or broke ({type(error).__name__})"
