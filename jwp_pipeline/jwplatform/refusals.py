"""Decides which error an answer stands for, and whether it came from JW Platform or from something on the way there.

The functions are pure. Only an answer in JW Platform's own format is taken to come from JW Platform. Any other error
may come from a proxy or gateway, so its message describes the answer and names the proxy. The transport puts the
operation in front of these messages.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from jwp_pipeline.errors import (
    CredentialsRefused,
    JWPlatformError,
    MalformedAnswer,
    MiddlemanAnswered,
    RateLimited,
    RequestRefused,
    ResourceNotFound,
)
from jwp_pipeline.jwplatform.answers import Answer
from jwp_pipeline.masking import Masker
from jwp_pipeline.proxies import Proxy

QUOTED_LENGTH = 200
"""The largest number of characters of a server's text that our messages quote."""
_SEEN = 10_000


@dataclass(frozen=True, slots=True)
class Credentials:
    """What error messages need to name, and what they must hide."""

    settings: str
    """A phrase that names the settings to check if JW Platform refuses the credentials."""
    masked: Masker


@dataclass(frozen=True, slots=True)
class Way:
    """The host that a request is for, and the proxy that it goes through."""

    host: str
    proxy: Proxy | None = None


# The HTTP status that belongs to an error code, for error bodies that come with status 200.
_STATUS_OF_CODE = {
    r"NotFound|not_found": 404,
    r"RateLimitExceeded|rate_limit_exceeded": 429,
    r"PermissionDenied|TimestampExpired|unauthorized": 403,
    r"NoMethod|CallInvalid|Parameter\w+|(ApiKey|Timestamp|Nonce|Signature)(Missing|Invalid)|invalid_body": 400,
    r"NotSupported": 405,
    r"PreconditionFailed": 412,
}
_CREDENTIAL_CODE = re.compile(r"(ApiKey|Signature|Nonce|Timestamp)(Missing|Invalid|Expired)")
_CREDENTIAL_PARAMETER = re.compile(r"\bapi_(key|signature|nonce|timestamp)\b")


def error_of(answer: Answer, credentials: Credentials, way: Way) -> JWPlatformError | None:
    """Return the error that an answer stands for, or None if it is a success."""
    body = _error_body(answer.document)
    if body is not None:
        return _own_error(answer, *body, credentials)
    if answer.status == 204:
        # It has no body, so that there is nothing in it to be wrong.
        return None
    if answer.status < 300:
        return answer.flaw and _not_json(answer, answer.flaw, credentials, way)
    return _foreign_error(answer, credentials, way)


def _own_error(answer: Answer, code: str, text: str, credentials: Credentials) -> JWPlatformError:
    """Return the error that JW Platform itself reports."""
    status = answer.status if answer.status >= 300 else _status_of(code)
    report = f"JW Platform answers HTTP {answer.status}"
    if code:
        report += f", {quotable(code, credentials.masked)}"
    if quoted := quotable(text, credentials.masked):
        report += f': "{quoted}"'
    if status == 429:
        return RateLimited(f"{report}. Too many requests: lower JWP_REQUESTS_PER_MINUTE if others use the same key.")
    if status >= 500 or status < 300:
        return MalformedAnswer(f"{report}. It has a problem of its own: try again later.")
    if code.startswith("Timestamp"):
        return CredentialsRefused(f"{report}. The clock of this machine is off: set it (NTP), then try again.")
    if status in (401, 403) or _CREDENTIAL_CODE.fullmatch(code) or _names_credential(code, text):
        return CredentialsRefused(f"{report}. Check {credentials.settings}.", status)
    if status == 404:
        return _not_found(report, text)
    return RequestRefused(f"{report}. It does not accept this request; asking again will not help.", status)


def _not_json(answer: Answer, flaw: MalformedAnswer, credentials: Credentials, way: Way) -> MalformedAnswer:
    """Return the error for a successful answer that is not JSON: a broken one, or one from somebody else."""
    if answer.text.lstrip()[:1] in ("", "{", "["):
        return flaw
    return MalformedAnswer(f"{flaw} What came is {_looks(answer, credentials)}. {_suspects(way)}")


def _foreign_error(answer: Answer, credentials: Credentials, way: Way) -> JWPlatformError:
    """Return the error for an answer that is not in JW Platform's format, so that we do not know who sent it."""
    status = answer.status
    said = f"HTTP {status} was answered, and not in JW Platform's own words but with {_looks(answer, credentials)}."
    if status == 407:
        return proxy_login_wanted(way)
    if status == 429:
        return RateLimited(f"{said} {_suspects(way)} If others use the same key, lower JWP_REQUESTS_PER_MINUTE.")
    if status >= 500:
        return MalformedAnswer(f"{said} {_suspects(way)} Try again later.")
    if status < 400:
        place = credentials.masked(_origin(answer.headers.get("Location", ""))) or "another address"
        return MiddlemanAnswered(
            f"{said} It leads to {place}, perhaps a login page, and is not followed, because the credentials would go "
            f"along. {_suspects(way)} Otherwise check JWPLATFORM_MANAGEMENT_API_URL."
        )
    if status in (401, 403):
        check = credentials.settings
    elif status == 404:
        check = "JWPLATFORM_MANAGEMENT_API_URL: there may be no Management API at this address"
    else:
        check = "JWPLATFORM_MANAGEMENT_API_URL"
    return MiddlemanAnswered(f"{said} {_suspects(way)} Otherwise check {check}.", status)


def proxy_login_wanted(way: Way) -> MiddlemanAnswered:
    """Return the error for HTTP 407, whoever sent it."""
    named = str(way.proxy or "a proxy that none of our settings name")
    variable = way.proxy.variable if way.proxy else None
    where = f"to its URL in {variable}" if variable else "where the proxy is set"
    return MiddlemanAnswered(
        f"{named} asks for a login (HTTP 407). Add user and password {where}, as http://user:password@host:port, with "
        "special characters percent-encoded."
    )


def _looks(answer: Answer, credentials: Credentials) -> str:
    """Describe an answer, to help people find out who sent it."""
    headers = [f"{name} {value}" for name in ("Server", "Via") if (value := answer.headers.get(name))]
    what = [(answer.headers.get("Content-Type") or "a body").partition(";")[0], *headers]
    shown = ", ".join(quotable(each, credentials.masked) for each in what)
    quoted = quotable(answer.text, credentials.masked).rstrip(".")
    return f'{shown}: "{quoted}"' if quoted else f"nothing in it ({shown})"


def _suspects(way: Way) -> str:
    """Say who may have answered instead of JW Platform."""
    if way.proxy is not None:
        through = f"The request for {way.host} went through {way.proxy}"
        return f"{through}: ask whoever runs it, or exclude the host in NO_PROXY."
    return (
        f"A proxy, a gateway or a login page on the way to {way.host} may have answered, though no proxy is configured "
        "here."
    )


def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.hostname}" if parts.scheme and parts.hostname else ""
    except ValueError:
        return ""


def _error_body(document: Any) -> tuple[str, str] | None:
    """Return the code and text of an error body of v1 or v2, or None."""
    # A v2 resource has a status as well, but only an error body also has a code.
    if isinstance(document, dict) and document.get("status") == "error" and "code" in document:
        return _text(document.get("code")), _text(document.get("message")) or _text(document.get("title"))
    # v2's clients decode {"errors": [...]}, while its definition describes a bare array. We have no recorded example.
    errors = document.get("errors") if isinstance(document, dict) else document
    if isinstance(errors, list) and errors and all(isinstance(e, dict) and "code" in e for e in errors):
        return _text(errors[0]["code"]), "; ".join(_text(e.get("description")) for e in errors[:3])
    return None


def _status_of(code: str) -> int:
    return next((status for pattern, status in _STATUS_OF_CODE.items() if re.fullmatch(pattern, code)), 200)


def _not_found(report: str, text: str) -> JWPlatformError:
    # A 404 confirms a deletion, so a 404 that is about the route and not the resource must be a different error.
    if "API method" not in text:
        return ResourceNotFound(f"{report}. There is no such resource.")
    return RequestRefused(f"{report}. There is no Management API at this address: check JWPLATFORM_MANAGEMENT_API_URL.")


def _names_credential(code: str, text: str) -> bool:
    # JW Platform has answered a wrong key with ParameterInvalid, "api_key: API key … is invalid".
    return code.startswith("Parameter") and _CREDENTIAL_PARAMETER.search(text) is not None


def quotable(text: str, masked: Masker) -> str:
    """Make a server's text fit for a message: short, on one line, without secrets, query strings or markup."""
    # The text is bounded, so that these expressions stay fast. It is masked before the final cut, so that half a secret
    # at the end of the first cut is dropped.
    text = masked(text[: 2 * _SEEN])[:_SEEN].encode("utf-8", "replace").decode()
    text = re.sub(r"<(script|style)\b.*?</\1\s*>", " ", text, flags=re.DOTALL | re.IGNORECASE)
    text = re.sub(r"<[A-Za-z/!][^<>]*>", " ", text)
    text = re.sub(r"\?[^\s?]*=\S*", "?…", text)
    text = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text).split())
    return text if len(text) <= QUOTED_LENGTH else text[: QUOTED_LENGTH - 1] + "…"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)
