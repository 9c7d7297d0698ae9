"""Answers calls as the Management API v2 does, with its envelopes, paging within the window, and errors.

lucene.py parses the query language.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from typing import Any

from jwp_pipeline.simulator import lucene, translation
from jwp_pipeline.simulator.comparison import QueryError
from jwp_pipeline.simulator.conditions import Predicate
from jwp_pipeline.simulator.exchange import Answer, Call, ListingPage, Refused
from jwp_pipeline.simulator.records import Kind, Record, encode
from jwp_pipeline.simulator.shelf import Order, SortField
from jwp_pipeline.simulator.site import Site
from jwp_pipeline.simulator.v2_writes import V2Writes
from jwp_pipeline.simulator.writes import VideoWrites

DEFAULT_PAGE_LENGTH = 10
ARRAYS: dict[Kind, str] = {"video": "media", "channel": "playlists"}
SORT_FIELDS: dict[Kind, frozenset[str]] = {
    "video": frozenset(
        {
            *("created", "duration", "last_modified"),
            *("publish_end_date", "publish_start_date", "status", "title"),
        }
    ),
    "channel": frozenset({"created", "last_modified", "playlist_type", "title"}),
}
DEFAULT_ORDER: Order = (SortField("created", descending=True),)

_STATUS_CODES = {
    401: "unauthorized",
    403: "unauthorized",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    429: "rate_limit_exceeded",
}
_DESCRIPTIONS = {
    "not_found": "The requested resource could not be found.",
    "rate_limit_exceeded": "Rate limit exceeded.",
    "unauthorized": "The provided credentials are not valid for this resource.",
}


class V2Api:
    """v2 of one site. Each method answers one call, or raises Refused. For one thread."""

    def __init__(self, site: Site, writes: VideoWrites) -> None:
        self._site = site
        self._writes = V2Writes(site, writes)

    def answer(self, call: Call) -> Answer | ListingPage:
        """Check the caller and the limit, then answer."""
        site = self._site
        # Clients that send the bare secret have been seen to work.
        given = (call.authorization or "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), site.v2_secret.encode()):
            raise Refused(403, "unauthorized", _DESCRIPTIONS["unauthorized"])
        allowance = site.allowance(site.v2_limiter)
        counters = {
            "JW-Request-Limit": str(allowance.limit),
            "JW-Request-Remaining": str(allowance.remaining),
        }
        try:
            if not allowance.allowed:
                if site.behaviour.retry_after:
                    counters["Retry-After"] = str(allowance.retry_after)
                raise _refused(429, "rate_limit_exceeded")
            answer = self._route(call)
        except Refused as refused:
            refused.headers.update(counters)
            raise
        answer.headers.update(counters)
        return answer

    def _route(self, call: Call) -> Answer | ListingPage:
        if call.route == "webhooks":
            return self._site.webhooks.answer(call)
        if call.api is None or call.names.get("site") != self._site.api_key:
            raise _refused(404, "not_found")
        if call.route in ("update", "create", "reupload", "delete"):
            return self._writes.answer(call)
        if call.method != "GET":
            raise Refused(405, "method_not_allowed", f"{call.method} is not allowed here.")
        routes: dict[str | None, Callable[[Call, Kind], Answer | ListingPage]] = {
            "list": self._list,
            "show": self._show,
            "members": self._manual_playlist,
        }
        return routes[call.route](call, call.kind or "video")

    def _list(self, call: Call, kind: Kind) -> ListingPage:
        behaviour = self._site.behaviour
        page = _positive(call, "page", 1)
        length = _positive(call, "page_length", DEFAULT_PAGE_LENGTH)
        if length > behaviour.max_page_length and behaviour.longer_pages == "refused":
            raise Refused(400, "invalid_parameter", f"page_length must not exceed {behaviour.max_page_length}.")
        length = min(length, behaviour.max_page_length)
        query = call.param("q") or ""
        selection = self._site.listings.select(kind, "v2", _order(call, kind), query, _predicate(query, kind))
        shuffle = self._site.tie_shuffle()
        if behaviour.past_window == "error" and page * length > behaviour.window:
            raise Refused(400, "invalid_body", f"Only the first {behaviour.window} results can be read.")

        def elements(number: int) -> list[bytes]:
            offset = (number - 1) * length
            inside = max(min(length, behaviour.window - offset), 0)
            return [record.json("v2") for record in selection.slice(offset, inside, shuffle)]

        total = selection.total
        envelope = {
            "page": page,
            "page_length": length,
            "total": min(total, behaviour.window) if behaviour.total_is_capped else total,
        }
        return ListingPage(ARRAYS[kind], elements(page), lambda: elements(max(page - 1, 1)), envelope)

    def _show(self, call: Call, kind: Kind) -> Answer:
        return Answer(200, self._record(call, kind).json("v2"))

    def _manual_playlist(self, call: Call, kind: Kind) -> Answer:
        record = self._record(call, kind)
        if "v2" in record.raw:
            return Answer(200, record.raw["v2"])
        if record.source.get("type") != "manual":
            raise Refused(405, "method_not_allowed", "The playlist is of another type.")
        return Answer(200, encode(translation.manual_playlist(record.object("v2"), record.members or ())))

    def _record(self, call: Call, kind: Kind) -> Record:
        record = self._site.library.record(kind, call.names["id"])
        if record is None or "v2" not in record.apis:
            raise _refused(404, "not_found")
        return record


def error_answer(
    status: int, code: str | None = None, message: str = "", headers: Any = None, *, bare_array: bool = False
) -> Answer:
    """An error in v2's shape; without `code`, the usual one of its status."""
    code = code or _STATUS_CODES.get(status, "invalid_body" if status < 500 else "server_error")
    errors = [{"code": code, "description": message or _DESCRIPTIONS.get(code, "The request failed.")}]
    return Answer(status, json.dumps(errors if bare_array else {"errors": errors}).encode(), dict(headers or {}))


def _refused(status: int, code: str) -> Refused:
    return Refused(status, code, _DESCRIPTIONS[code])


def _positive(call: Call, name: str, default: int) -> int:
    value = call.param(name)
    if value is None:
        return default
    if not value.isascii() or not value.isdigit() or int(value) == 0:
        raise Refused(400, "invalid_body", f"{name} must be a positive integer.")
    return int(value)


def _order(call: Call, kind: Kind) -> Order:
    value = call.param("sort")
    if value is None:
        return DEFAULT_ORDER
    fields = []
    for part in value.split(","):
        name, _, direction = part.strip().partition(":")
        if name not in SORT_FIELDS[kind] or direction not in {"asc", "dsc"}:
            raise Refused(400, "invalid_body", f"sort: `{part}` is not <attribute>:asc or <attribute>:dsc.")
        fields.append(SortField(name, direction == "dsc"))
    return tuple(fields)


def _predicate(query: str, kind: Kind) -> Predicate | None:
    if not query.strip():
        return None
    try:
        return lucene.parse(query, kind)
    except QueryError as error:
        raise Refused(400, "invalid_body", f"q: {error}.") from None
