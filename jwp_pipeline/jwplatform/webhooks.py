"""Registers webhooks at JW Platform, lists them and removes them (v2 only, for the whole account).

A person calls these by hand, so each request is sent once and reports its error at once: there is no pacing and no
retry. Put here what JWP's /v2/webhooks/ does; the webhooks that JWP then sends are received by another package.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar
from urllib.parse import quote

from jwp_pipeline.errors import JWPlatformError, MalformedAnswer, TransientError
from jwp_pipeline.jwplatform.answers import Answer, slice_of
from jwp_pipeline.jwplatform.management import ClientOptions
from jwp_pipeline.jwplatform.pacing import Clock
from jwp_pipeline.jwplatform.refusals import Credentials, error_of
from jwp_pipeline.jwplatform.wire import Call, Wire

MEDIA_EVENTS = (
    "media_available",
    "media_created",
    "media_deleted",
    "media_reuploaded",
    "media_updated",
    "conversions_complete",
)
"""The events after which a video may look different when it is asked for. There are none for playlists."""

LONGEST_NAME = 124

_PAGE_LENGTH = 100
_DEADLINE = 30.0
_OPTIONS = ClientOptions(connect_timeout=10.0, read_timeout=_DEADLINE)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook as JW Platform lists it."""

    id: str
    name: str
    url: str
    """Where JW Platform sends its events, without the query string, which may hold a secret of the receiver."""
    events: tuple[str, ...]
    site_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Registered:
    """A webhook that JW Platform has just made. It tells the secret only this once."""

    id: str
    secret: str = field(repr=False)


class WebhookRegistry:
    """The webhooks of an account. Every method raises JWPlatformError."""

    def __init__(self, origin: str, api_secret: str, credentials: Credentials) -> None:
        """`origin` is the URL before `/v2/`."""
        self._url = f"{origin.rstrip('/')}/v2/webhooks/"
        self._headers = {"Authorization": f"Bearer {api_secret}"}
        self._credentials = credentials
        self._origin = origin
        self._clock = Clock()

    def list(self) -> list[Webhook]:
        """Return all webhooks of the account, those of other sites included."""
        found: list[Webhook] = []
        page = 1
        while True:
            part = self._ask(
                "listing webhooks",
                "GET",
                "",
                lambda answer: slice_of(answer, "webhooks", "page_length", _PAGE_LENGTH),
                query=f"page={page}&page_length={_PAGE_LENGTH}",
            )
            found += [_webhook(item) for item in part.items]
            if not part.items or len(found) >= part.total:
                return found
            page += 1

    def register(self, url: str, *, name: str, site_id: str, events: Sequence[str] = MEDIA_EVENTS) -> Registered:
        """Make a webhook that sends these events of a site to `url`."""
        metadata = {"webhook_url": url, "name": name, "events": [*events], "site_ids": [site_id]}
        try:
            return self._ask("registering the webhook", "POST", "", _registered, {"metadata": metadata})
        except TransientError as error:
            raise error.with_message(
                f"{error} It is not known whether the webhook was made. Look with `jwp-pipeline webhooks list`, and "
                "unregister what you find before you try again, because its secret is told only once."
            ) from None

    def unregister(self, webhook_id: str) -> None:
        """Remove a webhook."""
        self._ask(f"removing webhook {webhook_id}", "DELETE", f"{quote(webhook_id, safe='')}/", lambda answer: None)

    def _ask(
        self,
        operation: str,
        method: Literal["GET", "POST", "DELETE"],
        path: str,
        read: Callable[[Answer], _T],
        document: Mapping[str, Any] | None = None,
        query: str = "",
    ) -> _T:
        body = b"" if document is None else json.dumps(document).encode()
        headers = self._headers | ({"Content-Type": "application/json"} if body else {})
        # What a repeated call would do is said to the person who calls; see `register`.
        call = Call(self._url + path, query, headers, method, body, repeatable=True)
        try:
            with closing(Wire(self._origin, _OPTIONS, self._credentials.masked, self._clock)) as wire:
                answer = wire.send(call, self._clock.monotonic() + _DEADLINE)
            # A removal has no content to parse.
            error = None if answer.status == 204 else error_of(answer, self._credentials, wire.way)
            if error is not None:
                raise error
            return read(answer)
        except JWPlatformError as error:
            raise error.with_message(f"{operation[:1].upper()}{operation[1:]}: {error}") from None


def _webhook(item: Any) -> Webhook:
    metadata = item.get("metadata") if isinstance(item, dict) else None
    if not isinstance(metadata, dict) or not isinstance(item.get("id"), str):
        raise MalformedAnswer("a webhook in the answer has no id or no metadata.")
    return Webhook(
        item["id"],
        str(metadata.get("name") or ""),
        str(metadata.get("webhook_url") or "").partition("?")[0],
        tuple(map(str, metadata.get("events") or ())),
        tuple(map(str, metadata.get("site_ids") or ())),
    )


def _registered(answer: Answer) -> Registered:
    """Read the answer to a registration. No message may quote it, because it holds the secret."""
    document = answer.document if isinstance(answer.document, dict) else {}
    webhook_id, secret = document.get("id"), document.get("secret")
    if isinstance(webhook_id, str) and isinstance(secret, str) and secret:
        return Registered(webhook_id, secret)
    raise MalformedAnswer("the answer does not hold the id and the secret of a new webhook.")
