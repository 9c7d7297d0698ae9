"""Explains why no answer came: the network, TLS, or a proxy on the way.

The functions are pure: they turn an exception of requests or urllib3 into one of ours, whose message contains no URL
except the proxy's.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator

import requests
import urllib3

from jwp_pipeline.errors import JWPlatformError, MiddlemanAnswered, RequestRefused, Unreachable
from jwp_pipeline.jwplatform.refusals import Way, proxy_login_wanted

_INVALID_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    urllib3.exceptions.LocationValueError,
)


def no_answer(error: BaseException, way: Way) -> JWPlatformError:
    """Return the error for a request that got no answer.

    It is permanent for an invalid address, and for a TLS connection that one side refused, because a retry would fail
    in the same way.
    """
    if isinstance(error, _INVALID_ADDRESS):
        proxy = way.proxy or "the proxy that the environment names, if any"
        return RequestRefused(
            f"there is no such address ({type(error).__name__}). Check JWPLATFORM_MANAGEMENT_API_URL, and {proxy}."
        )
    if refused := _refused_tunnel(error, way):
        return refused
    cut = any(isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError | ConnectionError) for cause in _causes(error))
    if isinstance(error, requests.exceptions.SSLError) and not cut:
        return RequestRefused(
            f"{_reason(error, way)}. Check whether JWPLATFORM_MANAGEMENT_API_URL should say http or https, and the "
            "server's certificate (REQUESTS_CA_BUNDLE names a file of others to trust)."
        )
    # The errors of requests are subclasses of OSError. It raises a plain OSError only if it cannot find that file.
    if type(error) is OSError and error.errno is None:
        return RequestRefused(
            "the certificates to trust cannot be read. Check the file that REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names."
        )
    return Unreachable(f"{_reason(error, way)}. Check the network, and JWPLATFORM_MANAGEMENT_API_URL if it is set.")


def _refused_tunnel(error: BaseException, way: Way) -> JWPlatformError | None:
    """Return the error if a proxy refused to open a connection to an https address."""
    for cause in _causes(error):
        if not (match := re.match(r"Tunnel connection failed: (\d{3})", str(cause))):
            continue
        status = int(match[1])
        if status == 407:
            return proxy_login_wanted(way)
        refusal = f"{way.proxy or 'a proxy'} makes no connection to {way.host} (HTTP {status})"
        if status >= 500:
            return Unreachable(f"{refusal}. Check whether it can reach that host.")
        return MiddlemanAnswered(f"{refusal}. Ask whoever runs it to allow that host, or exclude the host in NO_PROXY.")
    return None


def _reason(error: BaseException, way: Way) -> str:
    """Say why no answer came."""
    proxy_failed = isinstance(error, requests.exceptions.ProxyError)
    whom = (
        str(way.proxy) if proxy_failed and way.proxy else f"{way.host} through {way.proxy}" if way.proxy else way.host
    )
    if isinstance(error, requests.ConnectTimeout):
        return f"no connection to {whom} within the time-out"
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return f"no answer from {whom} within the time-out"
    for cause in _causes(error):
        if isinstance(cause, urllib3.exceptions.IncompleteRead):
            return f"the connection to {whom} was cut in mid-answer"
        # The errors of requests are OSErrors as well, but without a strerror.
        if isinstance(cause, OSError) and cause.strerror:
            what = "TLS connection" if isinstance(cause, ssl.SSLError) else "connection"
            return f"no {what} to {whom}: {cause.strerror}"
    return f"the connection to {whom} failed ({type(error).__name__})"


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
