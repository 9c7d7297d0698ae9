"""Registers webhooks at JW Platform, lists them and removes them (v2 only, for the whole account).

A person calls these by hand, so each request is sent once and reports its error at once: there is no pacing and no
retry. Put here what JWP's /v2/webhooks/ does; the webhooks that JWP then sends are received by another package.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote

import requests
import urllib3

from jwp_pipeline.errors import AnswerTooLarge, JWPlatformError, MalformedAnswer, TransientError
from jwp_pipeline.jwplatform.answers import Answer, decode, slice_of
from jwp_pipeline.jwplatform.no_answer import no_answer
from jwp_pipeline.jwplatform.refusals import Credentials, Way, error_of
from jwp_pipeline.jwplatform.wire import host_of
from jwp_pipeline.masking import keep_queries_out_of_logs
from jwp_pipeline.proxies import exceptions_for, proxy_for

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
_TIME_OUTS = (10.0, 30.0)
_MOST_BYTES = 2**22
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
        self._headers = {"Authorization": f"Bearer {api_secret}", "Accept": "application/json"}
        self._credentials = credentials
        self._way = Way(host_of(origin), proxy_for(origin))

    def list(self) -> list[Webhook]:
        """Return all webhooks of the account, those of other sites included."""
        found: list[Webhook] = []
        page = 1
        while True:
            query = f"?page={page}&page_length={_PAGE_LENGTH}"
            part = self._ask(
                "listing webhooks",
                "GET",
                query,
                lambda answer: slice_of(answer, "webhooks", "page_length", _PAGE_LENGTH),
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
        method: str,
        path: str,
        read: Callable[[Answer], _T],
        document: Mapping[str, Any] | None = None,
    ) -> _T:
        try:
            answer = self._send(method, self._url + path, document)
            # A removal has no content to parse.
            error = None if answer.status == 204 else error_of(answer, self._credentials, self._way)
            if error is not None:
                raise error
            return read(answer)
        except JWPlatformError as error:
            raise error.with_message(f"{operation[:1].upper()}{operation[1:]}: {error}") from None

    def _send(self, method: str, url: str, document: Mapping[str, Any] | None) -> Answer:
        keep_queries_out_of_logs()
        body = None if document is None else json.dumps(document)
        headers = self._headers | ({"Content-Type": "application/json"} if body else {})
        try:
            with requests.Session() as session:
                # Without an auth, requests would read ~/.netrc and send what it finds there.
                session.auth = lambda request: request
                with session.request(
                    method,
                    url,
                    data=body,
                    headers=headers,
                    timeout=_TIME_OUTS,
                    stream=True,
                    allow_redirects=False,
                    proxies=exceptions_for(url),
                ) as response:
                    content = response.raw.read(_MOST_BYTES + 1, decode_content=True)
        except (OSError, urllib3.exceptions.HTTPError) as error:
            raise no_answer(error, self._way) from None
        if len(content) > _MOST_BYTES:
            raise AnswerTooLarge(f"{self._way.host} answers with more than {_MOST_BYTES} bytes. Look at what is there.")
        return decode(response.status_code, response.headers, content)


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
