"""What an answer of JW Platform says: its JSON, or which error it is.

Pure: bytes in, values or exceptions out. Knows the error bodies of both Management APIs, and of what stands
in between. Not here: asking again (transport.py), and the elements of a listing, which nobody judges here.
Messages name what JW Platform said; the transport puts the operation before them.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from jwp_pipeline import json_text
from jwp_pipeline.errors import (
    CredentialsRefused,
    JWPlatformError,
    MalformedAnswer,
    RateLimited,
    RequestRefused,
    ResourceNotFound,
)

# What a column of our tables holds; no library is near it.
_MOST = 2**31 - 1
QUOTED_LENGTH = 200
"""Characters of a server's own text that a message of ours repeats at most."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What error messages must name and must hide."""

    settings: str
    """The settings to look at when they are refused, as a phrase."""
    secrets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, decoded as far as it can be."""

    status: int
    headers: Mapping[str, str]
    text: str
    """The body as received, without a byte order mark."""
    document: Any
    """The parsed JSON; None also when `flaw` says that there is none."""
    flaw: MalformedAnswer | None = None


@dataclass(frozen=True, slots=True)
class Slice:
    """One answer to a list call, its elements unjudged."""

    text: str
    """The body as received."""
    items: list[Any]
    total: int
    page_length: int
    """The most elements it could have held: what JWP echoes, else what was asked for."""

    @property
    def most_pages(self) -> int:
        """Where to stop paging after this first slice, whatever the later ones say.

        Leaves room for short pages, and for a library that grows while it is read.
        """
        return 2 * math.ceil(self.total / self.page_length) + 10


# HTTP status that belongs to an error code, for error bodies that come with status 200.
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


def parse(body: bytes) -> tuple[str, Any]:
    """Text and value of a JSON body: UTF-8, with or without a byte order mark.

    Takes what Python's parser takes, so `NaN` and infinities too, though neither is JSON: one video with such
    a duration must not hide the rest of its page. Raises MalformedAnswer for all else, including what is nested
    too deep.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise MalformedAnswer("the answer is not UTF-8.") from None
    try:
        return text, json_text.loads(text)
    except (ValueError, RecursionError) as error:
        what = "nothing" if not text.strip() else _kind(error)
        raise MalformedAnswer(f"the answer should be JSON and is {what}.") from None


def decode(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """Decode a body of any kind; never raises."""
    try:
        text, document = parse(body)
    except MalformedAnswer as flaw:
        return Answer(status, headers, body.decode("utf-8-sig", errors="replace"), None, flaw)
    return Answer(status, headers, text, document)


def error_of(answer: Answer, credentials: Credentials) -> JWPlatformError | None:
    """The error that an answer is, or None when it is none."""
    body = _error_body(answer.document)
    if answer.status < 300 and body is None:
        return answer.flaw
    code, text = body or ("", answer.text)
    status = answer.status if answer.status >= 300 else _status_of(code)
    said = f"JW Platform answers HTTP {answer.status}"
    if code:
        said += f", {quotable(code, credentials.secrets)}"
    if quoted := quotable(text, credentials.secrets):
        said += f': "{quoted}"'
    if status == 429:
        return RateLimited(f"{said}. Too many requests: lower JWP_REQUESTS_PER_MINUTE if others use the same key.")
    if status >= 500 or status < 300:
        return MalformedAnswer(f"{said}. It has a problem of its own: try again later.")
    if status < 400:
        return RequestRefused(f"{said}: a redirection, which is not followed. Check JWPLATFORM_MANAGEMENT_API_URL.")
    if code.startswith("Timestamp"):
        return CredentialsRefused(f"{said}. The clock of this machine is off: set it (NTP), then try again.")
    if status in (401, 403) or _CREDENTIAL_CODE.fullmatch(code) or _names_credential(code, text):
        return CredentialsRefused(f"{said}. Check {credentials.settings}.")
    if status == 404:
        return _not_found(said, body is not None, text)
    return RequestRefused(f"{said}. It does not take this request; asking again will not help.")


def slice_of(answer: Answer, array: str, length_field: str, asked_length: int) -> Slice:
    """The elements and the total of a list answer. Raises MalformedAnswer."""
    document = answer.document
    items = document.get(array) if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise MalformedAnswer(f'the answer has no list "{array}".')
    total = _whole_number(document.get("total"))
    if total is None:
        raise MalformedAnswer(f'the answer has a list "{array}" and no total that is a whole number.')
    # An echoed length is believed: JWP may have a maximum that nobody documents.
    length = max(_whole_number(document.get(length_field)) or asked_length, len(items))
    return Slice(answer.text, items, total, length)


def object_of(value: Any, key: str, key_field: str) -> dict[str, Any]:
    """An object that carries the key it was asked for. Raises MalformedAnswer."""
    if not isinstance(value, dict) or value.get(key_field) != key:
        raise MalformedAnswer("the answer is not about the resource that was asked for.")
    return value


def _whole_number(value: Any) -> int | None:
    """A JSON integer that can be a number of resources, or None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST else None


def _error_body(document: Any) -> tuple[str, str] | None:
    """Code and text of an error body in the shapes of v1 and v2, or None."""
    # A v2 resource has a status too; only an error body has a code with it.
    if isinstance(document, dict) and document.get("status") == "error" and "code" in document:
        return _text(document.get("code")), _text(document.get("message")) or _text(document.get("title"))
    # v2's clients decode {"errors": [...]}; its definition says the bare array. Nobody has recorded one.
    errors = document.get("errors") if isinstance(document, dict) else document
    if isinstance(errors, list) and errors and all(isinstance(e, dict) and "code" in e for e in errors):
        return _text(errors[0]["code"]), "; ".join(_text(e.get("description")) for e in errors[:3])
    return None


def _status_of(code: str) -> int:
    return next((status for pattern, status in _STATUS_OF_CODE.items() if re.fullmatch(pattern, code)), 200)


def _not_found(said: str, from_api: bool, text: str) -> JWPlatformError:
    # Deletions are confirmed by 404. One that comes from a proxy, or means the route and not the resource, must not.
    if from_api and "API method" not in text:
        return ResourceNotFound(f"{said}. There is no such resource.")
    return RequestRefused(f"{said}. There is no Management API at this address: check JWPLATFORM_MANAGEMENT_API_URL.")


def _names_credential(code: str, text: str) -> bool:
    # A wrong key has been seen to come back as ParameterInvalid, "api_key: API key … is invalid".
    return code.startswith("Parameter") and _CREDENTIAL_PARAMETER.search(text) is not None


def quotable(text: str, secrets: Iterable[str]) -> str:
    """A server's text made fit for a message: short, on one line; no secret, signature, query string or markup."""
    for secret in filter(None, secrets):
        text = text.replace(secret, "********")
    # Whatever a server sends, these expressions see a bounded text. Secrets go first: cut in half they would stay.
    text = text[:10_000].encode("utf-8", "replace").decode()
    text = re.sub(r"<[A-Za-z/!][^<>]*>", " ", text)
    text = re.sub(r"\?[^\s?]*=\S*", "?…", text)
    text = re.sub(r"\b[0-9a-fA-F]{32,}\b", "…", text)
    text = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text).split())
    return text if len(text) <= QUOTED_LENGTH else text[: QUOTED_LENGTH - 1] + "…"


def _kind(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"broken at character {error.pos}"
    return "nested too deep"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)
