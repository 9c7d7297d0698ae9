"""Asks the Delivery API which files and streams a video has (semantics §11)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests

from jwp_pipeline import bounded_http, json_text
from jwp_pipeline.delivery.urls import Moment, pd_api_url
from jwp_pipeline.errors import DeliveryRefused, DeliveryUnreachable, DeliveryUnreadable, NoPlaylist
from jwp_pipeline.settings import Settings

SECONDS = 5.0
"""How long one request may take unless a caller says otherwise."""
MOST_BYTES = 4 * 2**20
"""The largest answer that is read. A video with all its properties and tracks has some 10 kB."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Source:
    """A file or stream of a video."""

    mime_type: str
    """For example `video/mp4`, `audio/mp4` or `application/vnd.apple.mpegurl`."""
    url: str
    """Where it is. The URL may be signed: it plays for everybody who has it until it expires."""
    width: int | None = None
    """In pixels; None for sound, and where JW Platform does not say."""
    height: int | None = None

    def __repr__(self) -> str:
        address = self.url.partition("?")[0]
        return f"Source({self.mime_type!r}, {address!r}, {self.width!r}, {self.height!r})"


def get_sources(
    key: str,
    *,
    settings: Settings,
    now: Moment = None,
    session: requests.Session | None = None,
    seconds: float = SECONDS,
) -> list[Source]:
    """Ask for the sources of the video `key`, in JW Platform's order; empty while the video is transcoded or missing.

    One request, which takes at most `seconds`. `session` reuses connections. Nothing is asked for a key that would lead
    to another resource: an empty one, `.` or `..`. Raises SettingsError without a v1 secret, and DeliveryUnreachable,
    DeliveryRefused, DeliveryUnreadable or NoPlaylist.
    """
    if key in ("", ".", ".."):
        _log.info("No video can have the key %r.", key)
        return []
    url = pd_api_url(f"/v2/media/{quote(key, safe='')}", settings=settings, now=now, format="json")
    if session is not None:
        return _ask(session, url, key, seconds)
    with requests.Session() as own:
        return _ask(own, url, key, seconds)


def _ask(session: requests.Session, url: str, key: str, seconds: float) -> list[Source]:
    try:
        answer = bounded_http.get_in_time(session, url, seconds=seconds, most_bytes=MOST_BYTES)
    except bounded_http.NoResponse as reason:
        raise DeliveryUnreachable(
            f"The sources of video {key!r} are not known: {reason}. Check the network, and "
            "JWPLATFORM_API_BASE_URL if it is set."
        ) from None
    if answer.status == 404:
        _log.info("JW Platform delivers no video %r: it is being transcoded, or it does not exist.", key)
        return []
    if answer.status != 200:
        raise DeliveryRefused(
            f"The sources of video {key!r} are not known: HTTP {answer.status} was answered. If that is 401 or 403, "
            "check JWPLATFORM_API_SECRET, this machine's clock, and whether JW Platform may deliver the video. If it "
            "is another 3xx or 4xx, check JWPLATFORM_API_BASE_URL, and whether a proxy answers. Otherwise try again "
            "later.",
            answer.status,
        )
    try:
        document = json_text.loads(answer.body)
    except (ValueError, RecursionError):
        raise DeliveryUnreadable(
            f"The sources of video {key!r} are not known: JW Platform's answer is not JSON. Check that "
            "JWPLATFORM_API_BASE_URL is the Delivery API, and that no proxy answers in its place."
        ) from None
    return read_sources(document, key)


def read_sources(document: Any, key: str) -> list[Source]:
    """Return the sources in an answer of the Delivery API about the video `key`. Raises NoPlaylist.

    A source without a type or a file is left out, and logged.
    """
    playlist = document.get("playlist") if isinstance(document, dict) else None
    item = playlist[0] if isinstance(playlist, list) and playlist else None
    if not isinstance(item, dict):
        raise NoPlaylist(
            f"The sources of video {key!r} are not known: JW Platform's answer has no playlist. Check that "
            "JWPLATFORM_API_BASE_URL is the Delivery API."
        )
    listed = item.get("sources")
    sources = []
    for number, each in enumerate(listed if isinstance(listed, list) else [], 1):
        source = _source(each)
        if source is None:
            # Nothing of it is shown, because any part of an answer may repeat a signed URL.
            _log.warning("Source %d of video %r has no type or no file, and is left out.", number, key)
        else:
            sources.append(source)
    return sources


def _source(each: Any) -> Source | None:
    if not isinstance(each, dict):
        return None
    mime_type, url = each.get("type"), each.get("file")
    if not isinstance(mime_type, str) or not isinstance(url, str) or not mime_type or not url:
        return None
    return Source(mime_type, url, _pixels(each.get("width")), _pixels(each.get("height")))


def _pixels(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
