"""Carries out writes to the library's videos: updates, new videos, deletions, and files that arrive.

Fields have their v1 names here. v1_writes.py and v2_writes.py read and check the calls of their APIs.
"""

from __future__ import annotations

import hashlib
import secrets
import string
from dataclasses import dataclass
from functools import partial
from typing import Any

from jwp_pipeline.simulator.exchange import Refused
from jwp_pipeline.simulator.records import Record
from jwp_pipeline.simulator.site import Site
from jwp_pipeline.simulator.translation import epoch_seconds

MOST_CHARACTERS = {"title": 5000, "description": 25_000, "author": 256, "link": 2048, "custom": 7500}
"""The longest texts, as v2's definition of its API gives them. Nothing is known about v1, so that both have these."""
_NEW_VIDEO: dict[str, Any] = {
    **dict.fromkeys(("title", "description", "author", "link", "expires_date", "tags"), None),
    **dict.fromkeys(("md5", "sourceformat", "sourceurl", "error", "upload_session_id"), None),
    "mediatype": "unknown",
    "duration": "0.00",
    "size": "0",
    "status": "created",
    "views": 0,
    "sourcetype": "file",
}


@dataclass(frozen=True, slots=True)
class Ticket:
    """The right to send a file for a video, which an upload link carries as a token."""

    token: str
    key: str
    expires: float
    """In epoch seconds."""
    content_type: str | None
    """The Content-Type that a PUT must have."""


class VideoWrites:
    """Writes to the videos of one site. For one thread."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._library = site.library
        self._tickets: dict[str, Ticket] = {}

    def update(self, key: str, changes: dict[str, Any]) -> None:
        """Set fields of a video and move its change stamp. Raises KeyError."""
        with self._library.lock:
            video = self._library.get("video", key)
            self._library.lag("video", key, self._site.behaviour.index_lag_seconds)
            before, now = epoch_seconds(video.get("updated")) or 0, self._library.now()
            # A demo library may have stamps that lie in the future; the stamp must move all the same.
            stamp = now if now >= before else before + 1
            self._library.edit("video", key, **changes, updated=stamp)

    def create(self, fields: dict[str, Any]) -> str:
        """Add a video and return its key."""
        with self._library.lock:
            key, now = _new_key(), self._library.now()
            self._library.lag("video", key, self._site.behaviour.index_lag_seconds)
            self._library.put("video", {"key": key, **_NEW_VIDEO, "custom": {}, "date": now, "updated": now, **fields})
        return key

    def delete(self, *keys: str) -> None:
        """Remove videos. Raises KeyError."""
        self._library.remove("video", *keys)

    def issue(self, key: str, content_type: str | None = None) -> Ticket:
        """Allow one file to be sent for a video."""
        expires = self._library.now() + self._site.behaviour.upload_link_seconds
        ticket = Ticket(secrets.token_urlsafe(24), key, expires, content_type)
        self._tickets[ticket.token] = ticket
        return ticket

    def ticket(self, token: str | None) -> Ticket:
        """Return the ticket of a token. Raises Refused if there is none, or if it has expired."""
        ticket = self._tickets.get(token or "")
        if ticket is None:
            raise Refused(403, "PermissionDenied", "The upload token is not valid.")
        if self._library.now() >= ticket.expires:
            raise Refused(403, "PermissionDenied", "The upload link has expired.")
        return ticket

    def receive(self, key: str, file: bytes, content_type: str) -> None:
        """Take the file of a video, which is then processed. Raises KeyError."""
        media, _, form = content_type.partition(";")[0].partition("/")
        described = {
            "size": str(len(file)),
            "md5": hashlib.md5(file).hexdigest(),  # noqa: S324 - the field is named after it
            "mediatype": "audio" if media == "audio" else "video",
            "sourceformat": form if media in {"audio", "video"} else "mp4",
        }
        self.process(key, described)

    def process(self, key: str, described: dict[str, Any]) -> None:
        """Set what is known of a video's file; the video is ready once the site's processing time is over."""
        self.update(key, {**described, "status": "processing"})
        if seconds := self._site.behaviour.processing_seconds:
            self._library.later(seconds, partial(self._ready, key))
        else:
            self._ready(key)

    def _ready(self, key: str) -> None:
        if self._library.record("video", key) is not None:
            self.update(key, {"status": "ready"})

    def record(self, key: str) -> Record | None:
        """Return a video as it is now, whatever the index knows."""
        return self._library.record("video", key)


def _new_key() -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(8))
