"""Answers calls as the Management API v1 does, with its envelopes, paging and errors.

v1_signature.py checks who may call, and v1_filters.py interprets the filters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from jwp_pipeline.simulator.exchange import Answer, Call, ListingPage, Refused
from jwp_pipeline.simulator.rate_limit import Allowance
from jwp_pipeline.simulator.records import Kind, Record, encode
from jwp_pipeline.simulator.site import Site
from jwp_pipeline.simulator.v1_filters import condition, order, whole_number
from jwp_pipeline.simulator.v1_signature import SignatureCheck
from jwp_pipeline.simulator.v1_writes import V1Writes, required
from jwp_pipeline.simulator.writes import VideoWrites

DEFAULT_LIMIT = 50
ARRAYS: dict[Kind, str] = {"video": "videos", "channel": "channels"}

_STATUS_CODES = {
    403: "PermissionDenied",
    404: "NotFound",
    405: "NotSupported",
    409: "ItemAlreadyExists",
    412: "PreconditionFailed",
    429: "RateLimitExceeded",
    501: "NotImplemented",
    503: "CallUnavailable",
}
_VIDEO_SHOW = {"trim_in_point": None, "trim_out_point": None}
_DYNAMIC_SHOW = {
    "tags": None,
    "tags_mode": "all",
    "sort_order": "date-desc",
    "pin_slot_1": None,
    "pin_slot_2": None,
}
_MEMBER_FIELDS = (
    *("key", "title", "description", "tags", "mediatype", "date", "link"),
    *("duration", "md5", "views", "author", "custom"),
)


class V1Api:
    """v1 of one site. Each method answers one call, or raises Refused. For one thread."""

    def __init__(self, site: Site, writes: VideoWrites) -> None:
        self._site = site
        self._writes = V1Writes(site, writes)
        self._signatures = SignatureCheck()

    def answer(self, call: Call) -> Answer | ListingPage:
        """Check the caller and the limit, then answer."""
        site = self._site
        if call.method not in {"GET", "POST"}:
            raise Refused(405, "NotSupported", f"Method {call.method} is not supported.")
        if call.api is None:
            raise Refused(404, "NotFound", f"API method `{call.path}` not found.")
        self._signatures.verify(call, site.api_key, site.api_secret, site.behaviour.timestamp_tolerance)
        allowance = site.allowance(site.v1_limiter)
        if not allowance.allowed:
            headers = {"Retry-After": str(allowance.retry_after)} if site.behaviour.retry_after else {}
            raise Refused(429, "RateLimitExceeded", "Rate limit exceeded.", headers)
        if call.param("api_format") not in {None, "json"}:
            raise Refused(400, "ParameterInvalid", "api_format: only `json` is simulated.")
        routes: dict[str | None, Callable[[Call, Allowance], Answer | ListingPage]] = {
            "list": self._list,
            "show": self._show,
            "members": self._members,
            **dict.fromkeys(("update", "create", "delete"), self._write),
        }
        return routes[call.route](call, allowance)

    def _list(self, call: Call, allowance: Allowance) -> ListingPage:
        kind = call.kind or "video"
        name, predicate = condition(call, kind)
        selection = self._site.listings.select(kind, "v1", order(call), name, predicate)
        shuffle = self._site.tie_shuffle()
        limit, offset = self._paging(call)
        total = selection.total

        def elements(first: int) -> list[bytes]:
            return [record.json("v1") for record in selection.slice(first, limit, shuffle)]

        return _page(ARRAYS[kind], elements, limit, offset, total, allowance)

    def _members(self, call: Call, allowance: Allowance) -> ListingPage:
        channel = self._record("channel", required(call, "channel_key"))
        library = self._site.library
        with library.lock:
            videos = [library.record("video", key) for key in channel.members or ()]
        # A video that was removed is not listed, whatever the channel says.
        listed = [video for video in videos if video is not None]
        limit, offset = self._paging(call)
        return _page(
            "videos",
            lambda first: [_reduced(video) for video in listed[first : first + limit]],
            limit,
            offset,
            len(listed),
            allowance,
        )

    def _write(self, call: Call, allowance: Allowance) -> Answer:
        members = self._writes.answer(call)
        return Answer(200, encode({"status": "ok", **members, "rate_limit": _rate_limit(allowance)}))

    def _show(self, call: Call, allowance: Allowance) -> Answer:
        kind = call.kind or "video"
        record = self._record(kind, required(call, f"{kind}_key"))
        shown = record.json("v1")
        if "v1" not in record.raw:
            extra: dict[str, Any] = _VIDEO_SHOW if kind == "video" else {}
            if record.source.get("type") == "dynamic":
                extra = _DYNAMIC_SHOW
            shown = encode({**extra, **record.source})
        counters = json.dumps(_rate_limit(allowance)).encode()
        return Answer(200, b'{"status": "ok", "rate_limit": %s, "%s": %s}' % (counters, kind.encode(), shown))

    def _record(self, kind: Kind, key: str) -> Record:
        record = self._site.library.record(kind, key)
        if record is None or "v1" not in record.apis:
            raise Refused(404, "NotFound", f"{kind.capitalize()} with key `{key}` not found.")
        return record

    def _paging(self, call: Call) -> tuple[int, int]:
        limit = whole_number(call, "result_limit", DEFAULT_LIMIT)
        if limit == 0:
            raise Refused(400, "ParameterInvalid", "result_limit: must be positive.")
        behaviour = self._site.behaviour
        if limit > behaviour.max_page_length and behaviour.longer_pages == "refused":
            raise Refused(400, "ParameterInvalid", f"result_limit: must not exceed {behaviour.max_page_length}.")
        return min(limit, behaviour.max_page_length), whole_number(call, "result_offset", 0)


def error_answer(status: int, code: str | None = None, message: str = "", headers: Any = None) -> Answer:
    """An error in v1's shape; without `code`, the usual one of its status."""
    code = code or _STATUS_CODES.get(status, "CallInvalid" if status < 500 else "InternalError")
    title = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", code)
    body = {"status": "error", "code": code, "title": title, "message": message or f"{title}."}
    return Answer(status, json.dumps(body).encode(), dict(headers or {}))


def _page(
    array: str,
    elements: Callable[[int], list[bytes]],
    limit: int,
    offset: int,
    total: int,
    allowance: Allowance,
) -> ListingPage:
    envelope = {
        "status": "ok",
        "rate_limit": _rate_limit(allowance),
        "limit": limit,
        "offset": offset,
        "total": total,
    }
    return ListingPage(array, elements(offset), lambda: elements(max(offset - limit, 0)), envelope)


def _rate_limit(allowance: Allowance) -> dict[str, int]:
    return {"reset": allowance.reset, "limit": allowance.limit, "remaining": allowance.remaining}


def _reduced(video: Record) -> bytes:
    if "v1" in video.raw:
        return video.raw["v1"]
    return encode({name: video.source[name] for name in _MEMBER_FIELDS if name in video.source})
