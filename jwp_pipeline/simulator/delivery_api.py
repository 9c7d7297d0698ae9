"""Answers calls as JW Platform's delivery does: players, their library, posters, sources, manifests and renditions.

Signatures are checked first. Then a video that is missing, not ready, expired or not yet published is a 404.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

from jwp_pipeline.simulator import player_pages, posters
from jwp_pipeline.simulator.delivery_signature import verify_signature, verify_token
from jwp_pipeline.simulator.exchange import Answer, Call, Refused, Route, Service
from jwp_pipeline.simulator.records import Kind, encode
from jwp_pipeline.simulator.renditions import Delivered
from jwp_pipeline.simulator.site import Site

ROUTES: tuple[tuple[str, Service, Route, Kind | None], ...] = (
    ("/players/{media}-{player}.{format}", "delivery", "player", "video"),
    ("/libraries/{player}.js", "delivery", "library", None),
    ("/thumbs/{media}-{width}.jpg", "delivery", "poster", "video"),
    ("/v2/media/{media}", "delivery", "sources", "video"),
    ("/manifests/{media}.m3u8", "delivery", "manifest", "video"),
    ("/videos/{media}-{template}.{format}", "delivery", "rendition", "video"),
)
MANIFEST_TYPE = "application/vnd.apple.mpegurl"
HTML_TYPE = "text/html; charset=utf-8"
SCRIPT_TYPE = "text/javascript; charset=utf-8"

_MESSAGES = {403: "Access forbidden", 404: "Not found", 405: "Method not allowed"}


class DeliveryApi:
    """Delivery of one site. Its requests count against no limit. For one thread."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._routes: dict[str | None, Callable[[Call], Answer]] = {
            "player": self._player,
            "library": self._library,
            "poster": self._poster,
            "sources": self._sources,
            "manifest": self._manifest,
            "rendition": self._rendition,
        }

    def answer(self, call: Call) -> Answer:
        """Check the signature, then answer. Raises Refused."""
        if call.method not in {"GET", "HEAD"}:
            raise Refused(405, "MethodNotAllowed", f"{call.method} is not allowed here.")
        self._verify(call)
        answer = self._routes[call.route](call)
        # Pages of any origin may embed players and ask for sources.
        answer.headers["Access-Control-Allow-Origin"] = "*"
        return answer

    def _verify(self, call: Call) -> None:
        behaviour, secret = self._site.behaviour, self._site.api_secret
        match call.route:
            case "poster":
                pass
            case "sources":
                verify_token(call, secret, needed=behaviour.signed_content)
            case "player" | "library":
                verify_signature(call, secret, needed=behaviour.signed_players)
            case _:
                verify_signature(call, secret, needed=behaviour.signed_content)

    def _player(self, call: Call) -> Answer:
        self._check_player(call)
        delivered = self._delivered(call)
        match call.names["format"]:
            case "html":
                return Answer(200, player_pages.page(delivered), content_type=HTML_TYPE)
            case "js":
                return Answer(200, player_pages.script(delivered), content_type=SCRIPT_TYPE)
        raise _not_found("A player comes as .js or .html.")

    def _library(self, call: Call) -> Answer:
        self._check_player(call)
        return Answer(200, player_pages.library(), content_type=SCRIPT_TYPE)

    def _poster(self, call: Call) -> Answer:
        delivered = self._delivered(call)
        widths = {str(width): width for width in posters.WIDTHS}
        if call.names["width"] not in widths:
            raise _not_found(f"There are posters of these widths only: {', '.join(widths)}.")
        return Answer(200, posters.jpeg(delivered.card, widths[call.names["width"]]), content_type="image/jpeg")

    def _sources(self, call: Call) -> Answer:
        if call.param("format") not in {None, "json"}:
            raise Refused(400, "ParameterInvalid", "format: only `json` is simulated.")
        return Answer(200, encode(self._delivered(call).answer()))

    def _manifest(self, call: Call) -> Answer:
        delivered = self._delivered(call)
        if delivered.is_audio:
            raise _not_found("An audio item has no manifest.")
        return Answer(200, delivered.manifest(), content_type=MANIFEST_TYPE)

    def _rendition(self, call: Call) -> Answer:
        delivered = self._delivered(call)
        rendition = delivered.rendition(call.names["template"], call.names["format"])
        if rendition is None:
            raise _not_found("There is no such rendition.")
        return _part(Answer(200, delivered.clip().body, content_type=rendition.mime_type), call.byte_range)

    def _check_player(self, call: Call) -> None:
        if call.names["player"] != self._site.player_key:
            raise _not_found("There is no such player.")

    def _delivered(self, call: Call) -> Delivered:
        record = self._site.library.record("video", call.names["media"])
        if record is None or not _is_served(record.source, time.time()):
            raise _not_found("There is no such media, or it cannot be played at this time.")
        secret = self._site.api_secret if self._site.behaviour.signed_content else None
        return Delivered(call.names["media"], record.source, call.origin, secret)


def error_answer(status: int, message: str = "", headers: Any = None) -> Answer:
    """An error as delivery writes it; without `message`, the usual one of its status."""
    body = {"message": message or _MESSAGES.get(status, "The request failed.")}
    return Answer(status, json.dumps(body).encode(), dict(headers or {}))


def _is_served(video: dict[str, Any], now: float) -> bool:
    """Whether a v1 video is ready, published and not expired. A stamp that is no number sets no bound."""
    published, expires = video.get("date"), video.get("expires_date")
    if isinstance(published, int | float) and published > now:
        return False
    if isinstance(expires, int | float) and expires <= now:
        return False
    return video.get("status") == "ready"


def _part(whole: Answer, asked: str | None) -> Answer:
    """Return the part of a body that a Range header asks for. A header that is not understood is ignored."""
    whole.headers["Accept-Ranges"] = "bytes"
    match = re.fullmatch(r"bytes=([0-9]{0,18})-([0-9]{0,18})", asked or "")
    if match is None or match[0] == "bytes=-":
        return whole
    size = len(whole.body)
    if match[1]:
        start, end = int(match[1]), min(int(match[2] or size), size - 1)
    else:
        start, end = max(size - int(match[2]), 0), size - 1
    if match[1] and match[2] and int(match[1]) > int(match[2]):
        return whole
    if start > end:
        return Answer(416, b"", {**whole.headers, "Content-Range": f"bytes */{size}"}, whole.content_type)
    headers = {**whole.headers, "Content-Range": f"bytes {start}-{end}/{size}"}
    return Answer(206, whole.body[start : end + 1], headers, whole.content_type)


def _not_found(message: str) -> Refused:
    return Refused(404, "NotFound", message)
