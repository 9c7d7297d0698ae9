"""Reads v2 of the Management API, with a Bearer secret and listings by page number.

A big listing is cut into ranges of ids, as ranges.py explains. What both clients share is in transport.py and
answers.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from jwp_pipeline.errors import MalformedAnswer, RequestRefused, ResourceNotFound
from jwp_pipeline.jwplatform.answers import Answer, Slice, object_of, slice_of
from jwp_pipeline.jwplatform.census import Census
from jwp_pipeline.jwplatform.ids import IdRange
from jwp_pipeline.jwplatform.management import (
    ApiVersion,
    ClientOptions,
    Page,
    Probe,
    RequestStats,
    ResourceType,
)
from jwp_pipeline.jwplatform.pacing import Clock
from jwp_pipeline.jwplatform.page_length import PageLength
from jwp_pipeline.jwplatform.ranges import RangeWalk
from jwp_pipeline.jwplatform.refusals import Credentials
from jwp_pipeline.jwplatform.shapes import (
    KEY_FIELDS,
    LISTED_PLAYLISTS,
    PLAYLIST_TYPE_FIELDS,
    STAMP_FIELDS,
    array_field,
    change_stamp,
)
from jwp_pipeline.jwplatform.transport import Transport
from jwp_pipeline.jwplatform.wire import Call
from jwp_pipeline.masking import Masker
from jwp_pipeline.rate_limit import Lane

ORIGIN = "https://api.jwplayer.com"
LARGEST_PAGE = 1000
"""No maximum is documented; this is the largest length that the vendor's own code uses."""
WINDOW = 10_000
"""A query returns at most its first 10,000 results, and may never announce a larger total."""

# v2 spells the directions asc and dsc. Oldest first, so that resources created while we read are added at the end.
_OLDEST_FIRST = "created:asc"
_STAMP = STAMP_FIELDS["v2"]
_LAST_CHANGED_FIRST = f"{_STAMP}:dsc"
# A resource that changes again while we read moves to the end, so that we still reach it.
_FIRST_CHANGED_FIRST = f"{_STAMP}:asc"
_ID = KEY_FIELDS["v2"]


@dataclass(frozen=True, slots=True)
class _Kind:
    """The names that v2 uses for a resource type; `name` is both its route and the array in its listings."""

    name: str
    one: str
    filter: str | None


_KINDS: dict[ResourceType, _Kind] = {
    "video": _Kind(array_field("v2", "video"), "media", None),
    "channel": _Kind(array_field("v2", "channel"), "playlist", f"{PLAYLIST_TYPE_FIELDS['v2']}:{LISTED_PLAYLISTS}"),
}


@dataclass(frozen=True, slots=True)
class _Query:
    """The query for a listing, without the page."""

    kind: _Kind
    ids: IdRange | None = None
    """The range of ids to list; None for all."""
    condition: str | None = None
    """A further condition, such as one on the time of the last change, in the syntax of `q`."""
    sort: str = _OLDEST_FIRST

    def parameters(self, page: int, length: int) -> dict[str, str | int]:
        """Return the parameters of the query string for one page."""
        conditions = [each for each in (self.ids and self.ids.query, self.condition, self.kind.filter) if each]
        paging: dict[str, str | int] = {"page": page, "page_length": length, "sort": self.sort}
        return {**paging, "q": " AND ".join(conditions)} if conditions else paging


class ManagementV2:
    """ManagementClient for v2."""

    api_version: ApiVersion = "v2"
    _writes: ClassVar[bool] = False
    """Whether its requests are edits, which go before all others."""

    def __init__(
        self,
        site_id: str,
        api_secret: str,
        *,
        origin: str = ORIGIN,
        options: ClientOptions | None = None,
        masked: Masker | None = None,
        clock: Clock | None = None,
    ) -> None:
        """`site_id` is the same as v1's API key, and `origin` is the URL before `/v2/`.

        `masked` hides further secrets, and `clock` is for tests.
        """
        self.stats = RequestStats()
        self._site = f"{origin.rstrip('/')}/v2/sites/{quote(site_id, safe='')}/"
        self._headers = {"Authorization": f"Bearer {api_secret}"}
        options = options or ClientOptions()
        if self._writes:
            options = replace(options, lane=Lane.EDITS)
        self._page_length = options.page_length or PageLength()
        credentials = Credentials(
            "JWPLATFORM_V2_API_SECRET, and that it is valid for the site JWPLATFORM_API_KEY",
            masked or Masker([api_secret]),
        )
        self._transport = Transport(origin, options, self.stats, credentials, clock or Clock())

    def list_pages(self, resource_type: ResourceType, census: Census | None = None) -> Iterator[Page]:
        """See ManagementClient. The oldest come first; a listing that reaches the window has several stretches.

        With several stretches, `listing_total` is an estimate until the last page. There it is the sum of the announced
        totals of the stretches, unless that contradicts the total of the uncut listing; then it is the latter.
        """
        query = _Query(_KINDS[resource_type])
        first = self._first(query)
        if first.total > _reach(first.page_length):
            yield from self._ranges(query, first, census)
        else:
            yield from self._pages(query, first)

    def list_changes(self, resource_type: ResourceType, since: datetime) -> Iterator[Page] | None:
        """See ManagementClient. Media are queried by the day of their last change, which is known to work in `q`.

        Playlists cannot be queried by their last change. They are listed with the last changed first, until one is too
        old. If more media changed than one query can return, all media are listed.
        """
        if resource_type == "channel":
            return self._changed_playlists(since)
        return self._changed_media(since)

    def _changed_media(self, since: datetime) -> Iterator[Page]:
        changed = f"{_STAMP}:[{since:%Y-%m-%d} TO *]"
        query = _Query(_KINDS["video"], condition=changed, sort=_FIRST_CHANGED_FIRST)
        first = self._first(query)
        if first.total > _reach(first.page_length):
            yield from self.list_pages("video")
        else:
            yield from self._pages(query, first)

    def _changed_playlists(self, since: datetime) -> Iterator[Page]:
        query = _Query(_KINDS["channel"], sort=_LAST_CHANGED_FIRST)
        first = self._first(query)
        # It lists everything, with the last changed first, so its first page shows what a probe would.
        probe = _probe(first)
        for page in self._pages(query, first):
            yield replace(page, probe=probe) if page.number == 1 else page
            oldest = change_stamp(page.items[-1]) if page.items else None
            if oldest is not None and oldest < since:
                return

    def show(self, resource_type: ResourceType, key: str) -> dict[str, Any] | None:
        """See ManagementClient."""
        kind = _KINDS[resource_type]
        if key in ("", ".", ".."):
            # With one of these, the path would mean the listing or its parent, however it is encoded. It must not look
            # like a 404, which would confirm a deletion.
            raise MalformedAnswer(
                f"JW Platform cannot be asked about {kind.one} {key!r}: its URL would mean another place."
            )
        try:
            return self._transport.ask(
                f"showing {kind.one} {key}",
                lambda: self._call(f"{kind.name}/{quote(key, safe='')}/"),
                lambda answer: object_of(answer.document, key, _ID),
            )
        except ResourceNotFound:
            return None

    def members(self, channel_key: str) -> list[str]:
        """See ManagementClient. It takes one request, because a manual playlist comes with all its members."""
        return self._transport.ask(
            f"showing the members of playlist {channel_key}",
            lambda: self._call(f"playlists/{quote(channel_key, safe='')}/manual_playlist/"),
            lambda answer: _members(object_of(answer.document, channel_key, _ID)),
        )

    def probe(self, resource_type: ResourceType) -> Probe:
        """See ManagementClient. It takes one request. v2 may announce 10,000 if there are more."""
        kind = _KINDS[resource_type]
        part = self._slice(_Query(kind, sort=_LAST_CHANGED_FIRST), 1, 1, operation=f"probing {kind.name}")
        return _probe(part)

    def find_media(self, condition: str) -> Iterator[Page]:
        """Yield the media that fulfil a condition in the syntax of `q`, page by page; at most as many as one query can.

        Raises JWPlatformError.
        """
        query = _Query(_KINDS["video"], condition=condition)
        yield from self._pages(query, self._first(query, "searching media"))

    def close(self) -> None:
        """See ManagementClient."""
        self._transport.close()

    def _first(self, query: _Query, operation: str | None = None) -> Slice:
        """Return the first page of a listing, as long as the site accepts it."""
        part, _ = self._page_length.first_page(
            query.kind.name, LARGEST_PAGE, lambda length: self._slice(query, 1, length, operation=operation)
        )
        return part

    def _pages(self, query: _Query, first: Slice) -> Iterator[Page]:
        """Yield the pages of a listing that fits into one query."""
        for number, (part, _) in enumerate(self._stretch(query, first, 1), start=1):
            yield Page(number, part.text, part.items, 0, part.total, part.page_length, part.total)

    def _ranges(self, query: _Query, uncut: Slice, census: Census | None) -> Iterator[Page]:
        """Yield the pages of a listing that is too big for one query; see ranges.py."""
        walk = RangeWalk(uncut.total, WINDOW, uncut.page_length, census)
        number = stretch = 0
        while (ids := walk.next_range()) is not None:
            ranged = replace(query, ids=ids)
            first = self._slice(ranged, 1, uncut.page_length, number=number + 1)
            if first.total > _reach(first.page_length):
                walk.too_big(ids, first.total)
                continue
            for part, last in self._stretch(ranged, first, number + 1):
                number += 1
                if last:
                    walk.read(ids, part.total)
                whole = self._closing_total(query, uncut, walk) if last and walk.at_end else walk.estimate
                yield Page(number, part.text, part.items, stretch, part.total, part.page_length, whole)
            stretch += 1

    def _stretch(self, query: _Query, first: Slice, number: int) -> Iterator[tuple[Slice, bool]]:
        """Yield each slice of one query and whether it is the last. `number` is the page number of the first one."""
        part, page, position = first, 1, 0
        for pages in count(1):
            # If JWP changes the length that it echoes, page boundaries move. A page that starts beyond what we have
            # read does not count, and the next page may overlap, so that there is never a gap.
            start = (page - 1) * part.page_length
            if start <= position:
                position = max(position, start + part.page_length)
            last = not part.items or position >= min(part.total, _reach(part.page_length)) or pages >= first.most_pages
            yield part, last
            if last:
                return
            page = position // part.page_length + 1
            part = self._slice(query, page, part.page_length, number=number + pages)

    def _closing_total(self, query: _Query, uncut: Slice, walk: RangeWalk) -> int:
        """Return the sum of the stretches, or the total of the uncut listing if the two contradict each other.

        They would if v2 compared ids in another order than ASCII, because ranges would then overlap or leave gaps.
        """
        if uncut.total <= WINDOW:
            return walk.ids_read
        after = self._slice(query, 1, 1, operation=f"counting {query.kind.name}").total
        low, high = sorted((uncut.total, after))
        return walk.ids_read if low <= walk.ids_read <= high else after

    def _slice(self, query: _Query, page: int, length: int, *, number: int = 1, operation: str | None = None) -> Slice:
        """Return one page of a query. `number` is its number in the whole listing, for messages."""
        name = query.kind.name

        def read(answer: Answer) -> Slice:
            part = slice_of(answer, name, "page_length", length)
            if query.ids is not None:
                _check_range(part.items, query.ids)
            return part

        try:
            return self._transport.ask(
                operation or f"listing {name}, page {number}",
                lambda: self._call(f"{name}/", urlencode(query.parameters(page, length), quote_via=quote)),
                read,
            )
        except ResourceNotFound as error:
            raise RequestRefused(f"{error} Check JWPLATFORM_API_KEY, the site id.") from None

    def _call(self, path: str, query: str = "") -> Call:
        return Call(self._site + path, query, self._headers)


def _probe(part: Slice) -> Probe:
    """Return what the first page of a listing with the last changed first says about all of it."""
    newest = change_stamp(part.items[0]) if part.items else None
    return Probe(part.total, newest, capped=part.total == WINDOW)


def _reach(page_length: int) -> int:
    """Return the largest total that can be read completely: below the window, and in whole pages within it."""
    return WINDOW - 1 if page_length >= WINDOW else min(WINDOW - 1, WINDOW // page_length * page_length)


def _check_range(items: list[Any], ids: IdRange) -> None:
    first, last = ids.bounds
    for item in items:
        resource_id = item.get(_ID) if isinstance(item, dict) else None
        if isinstance(resource_id, str) and not first <= resource_id <= last:
            raise MalformedAnswer(
                f"JW Platform was asked for a range of ids ({ids.query}) and answers with others. A listing of "
                f"{WINDOW} or more cannot be read from a server that does so; JWPLATFORM_MANAGEMENT_API=v1 has no such "
                "limit."
            )


def _members(playlist: dict[str, Any]) -> list[str]:
    """Return the video keys of a manual playlist; there are none if it has no filter yet."""
    value: Any = playlist
    for name in ("metadata", "media_filter", "include", "values"):
        value = value.get(name) if isinstance(value, dict) else None
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(key, str) for key in value):
        raise MalformedAnswer("the playlist's members are not a list of media ids.")
    return value
