"""The account's webhooks: registered through v2, and sent a signed event after each change of a video.

    sim.webhooks.mishaps = Mishaps(twice=True, lost=3)

What JW Platform does beyond its documentation (retries, order) is not known; here each event is sent once, in order,
unless `mishaps` says otherwise. Real webhooks go to https addresses; here those of this machine may be http, too. It is
written from JW Platform's documentation and shares no code with our receiver, so that each tests the other.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import queue
import secrets
import string
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock, Thread
from typing import Any
from urllib.parse import urlsplit

from jwp_pipeline.simulator.exchange import Answer, Call, Refused
from jwp_pipeline.simulator.library import Change
from jwp_pipeline.simulator.records import Kind

EVENTS = frozenset(
    {
        *("channel_active", "channel_created", "channel_idle", "conversions_complete"),
        *("media_available", "media_created", "media_deleted", "media_reuploaded", "media_updated"),
        *("thumbnail_created", "thumbnail_deleted", "track_created", "track_deleted"),
        *("stream_created", "stream_transitioned", "stream_go_live", "stream_updated", "stream_deleted"),
    }
)
EVENTS_OF: dict[Change, tuple[str, ...]] = {
    "created": ("media_created", "media_available"),
    "updated": ("media_updated",),
    "deleted": ("media_deleted",),
}
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Mishaps:
    """What goes wrong with the events that are sent."""

    late: float = 0.0
    """Seconds after which an event is sent."""
    twice: bool = False
    """Every event is sent a second time."""
    reversed: int = 1
    """So many events are collected and then sent in the opposite order."""
    lost: int = 0
    """One of so many events is never sent: with 1 none is sent, with 0 all are."""
    forged: bool = False
    """Somebody else sends, before each event, one with another key that is signed with another secret."""
    foreign: bool = False
    """Before each event, the same webhook reports the event of another site."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event that was sent. `status` is None if there was no answer."""

    event: str
    key: str
    site_id: str
    status: int | None
    at: float


@dataclass(frozen=True, slots=True)
class Webhook:
    """A registered webhook; `metadata` is what it was registered with."""

    id: str
    secret: str = field(repr=False)
    metadata: dict[str, Any]
    created: str

    def resource(self) -> dict[str, Any]:
        """Return it as JW Platform shows it, without the secret."""
        return {
            "id": self.id,
            "type": "webhook",
            "schema": None,
            "created": self.created,
            "last_modified": self.created,
            "relationships": {},
            "metadata": self.metadata,
        }


@dataclass(frozen=True, slots=True)
class _Sending:
    webhook: Webhook
    body: dict[str, str]
    secret: str = field(repr=False)
    due: float


class Webhooks:
    """The webhooks of an account with one site. Thread-safe; it sends from a thread of its own."""

    def __init__(self, site_id: str) -> None:
        self.mishaps = Mishaps()
        self.deliveries: deque[Delivery] = deque(maxlen=10_000)
        self._site_id = site_id
        self._lock = Lock()
        self._registered: dict[str, Webhook] = {}
        self._collected: list[_Sending] = []
        self._reported = 0
        self._queue: queue.Queue[_Sending | None] = queue.Queue()
        self._thread: Thread | None = None

    @property
    def idle(self) -> bool:
        """Whether everything has been sent and answered."""
        return self._queue.unfinished_tasks == 0

    @property
    def registered(self) -> list[Webhook]:
        """All webhooks, the oldest first."""
        with self._lock:
            return list(self._registered.values())

    def start(self) -> None:
        """Begin to send."""
        self._thread = Thread(target=self._send_all, name="jwp-simulator-webhooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the event that is being sent. What waits is not sent any more."""
        self._queue.put(None)

    # --- Registration ------------------------------------------------------------------------------------

    def answer(self, call: Call) -> Answer:
        """Answer a call of /v2/webhooks/."""
        webhook_id = call.names.get("id")
        with self._lock:
            if webhook_id is None and call.method == "POST":
                return self._register(call)
            if webhook_id is None and call.method == "GET":
                return self._list(call)
            if webhook_id is not None and webhook_id not in self._registered:
                raise Refused(404, "not_found", "The requested resource could not be found.")
            if webhook_id is not None and call.method == "GET":
                return _json(200, self._registered[webhook_id].resource())
            if webhook_id is not None and call.method == "DELETE":
                del self._registered[webhook_id]
                return Answer(204, b"")
        raise Refused(405, "method_not_allowed", f"{call.method} is not allowed here.")

    def _register(self, call: Call) -> Answer:
        try:
            metadata = json.loads(call.body)["metadata"]
            url, events, site_ids = metadata["webhook_url"], metadata["events"], metadata["site_ids"]
            parts = urlsplit(url)
            known = len(set(events)) == len(events) > 0 and EVENTS.issuperset(events)
            fits = len(metadata.get("name", "")) <= 124 and len(metadata.get("description", "")) <= 355
        except (ValueError, TypeError, KeyError, AttributeError):
            raise Refused(400, "invalid_body", "The body is not that of a webhook.") from None
        if parts.scheme != "https" and parts.hostname not in LOOPBACK:
            raise Refused(400, "invalid_body", "webhook_url must be an https URL.")
        if not known or not fits:
            raise Refused(400, "invalid_body", "The events are not unique and known, or a text is too long.")
        if site_ids != [self._site_id]:
            raise Refused(400, "invalid_body", "site_ids must name sites of the account.")
        if any(webhook.metadata["webhook_url"] == url for webhook in self._registered.values()):
            raise Refused(409, "conflict", "There is a webhook for this URL.")
        webhook = Webhook(_random(8), _random(40), metadata, _now())
        self._registered[webhook.id] = webhook
        return _json(201, {**webhook.resource(), "secret": webhook.secret})

    def _list(self, call: Call) -> Answer:
        page, length = int(call.param("page") or 1), int(call.param("page_length") or 10)
        found = [webhook.resource() for webhook in self._registered.values()]
        part = found[(page - 1) * length : page * length]
        return _json(200, {"page": page, "page_length": length, "total": len(found), "webhooks": part})

    # --- Sending -----------------------------------------------------------------------------------------

    def changed(self, kind: Kind, key: str, change: Change) -> None:
        """Report a change of the library. There are no events for playlists."""
        if kind != "video":
            return
        for event in EVENTS_OF[change]:
            self.report(event, key)

    def report(self, event: str, key: str) -> None:
        """Report an event of a video to the webhooks that are registered for it, whether it happened or not."""
        with self._lock:
            for webhook in self._registered.values():
                if event in webhook.metadata["events"]:
                    self._report(webhook, event, key)

    def _report(self, webhook: Webhook, event: str, key: str) -> None:
        mishaps, due = self.mishaps, time.time() + self.mishaps.late
        self._reported += 1
        if mishaps.lost and self._reported % mishaps.lost == 0:
            return
        body = {
            "event": event,
            "media_id": key,
            "webhook_id": webhook.id,
            "site_id": self._site_id,
            "event_time": _now(),
        }
        if mishaps.forged:
            self._collected.append(_Sending(webhook, {**body, "media_id": "foRgeD00"}, _random(40), due))
        if mishaps.foreign:
            self._collected.append(_Sending(webhook, {**body, "site_id": "OtherOne"}, webhook.secret, due))
        self._collected += [_Sending(webhook, body, webhook.secret, due)] * (2 if mishaps.twice else 1)
        if len(self._collected) >= mishaps.reversed:
            collected = reversed(self._collected) if mishaps.reversed > 1 else iter(self._collected)
            for sending in collected:
                self._queue.put(sending)
            self._collected = []

    def _send_all(self) -> None:
        while (sending := self._queue.get()) is not None:
            time.sleep(max(0.0, sending.due - time.time()))
            status = _send(sending)
            body = sending.body
            self.deliveries.append(Delivery(body["event"], body["media_id"], body["site_id"], status, time.time()))
            self._queue.task_done()


def _send(sending: _Sending) -> int | None:
    """Send one event, and return the status of the answer. No proxy is used."""
    url = urlsplit(sending.webhook.metadata["webhook_url"])
    body = json.dumps(sending.body).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {_token(body, sending.secret)}"}
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    try:
        connection = kind(url.hostname or "", url.port, timeout=SECONDS)
        try:
            connection.request("POST", f"{url.path or '/'}{'?' * bool(url.query)}{url.query}", body, headers)
            return connection.getresponse().status
        finally:
            connection.close()
    except (OSError, http.client.HTTPException):
        return None


def _token(claims: bytes, secret: str) -> str:
    """Return a JSON Web Token with these claims."""
    signed = b".".join(_encoded(part) for part in (b'{"alg":"HS256","typ":"JWT"}', claims))
    signature = hmac.digest(secret.encode(), signed, hashlib.sha256)
    return (signed + b"." + _encoded(signature)).decode()


def _encoded(part: bytes) -> bytes:
    return base64.urlsafe_b64encode(part).rstrip(b"=")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _random(length: int) -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))


def _json(status: int, document: dict[str, Any]) -> Answer:
    return Answer(status, json.dumps(document).encode())
