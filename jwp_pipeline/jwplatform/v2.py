"""Reading v2 of the Management API: Bearer secret, listings by page number, cut into ranges of id when they are big.

Not here: what all clients share (transport.py, answers.py), how to cut (ranges.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any
from urllib.parse import quote, urlencode

from jwp_pipeline.errors import MalformedAnswer, RequestRefused, ResourceNotFound
from jwp_pipeline.jwplatform.answers import Answer, Credentials, Slice, object_of, slice_of
from jwp_pipeline.jwplatform.management import (
    ApiVersion,
    ClientOptions,
    Page,
    Probe,
    RequestStats,
    ResourceType,
)
from jwp_pipeline.jwplatform.pacing import Clock
from jwp_pipeline.jwplatform.ranges import IdRange, RangeWalk
from jwp_pipeline.jwplatform.transport import Call, Transport

ORIGIN = "https://api.jwplayer.com"
LARGEST_PAGE = 1000
"""No maximum is documented; this is the largest that the vendor's own code uses."""
WINDOW = 10_000
"""A query returns at most its first 10,000 results, and may announce no larger total."""

# v2 spells the directions asc and dsc. Oldest first, so that what is created meanwhile lands at the end.
_OLDEST_FIRST = "created:asc"
_LAST_CHANGED_FIRST = "last_modified:dsc"
# What changes again meanwhile moves to the end, still ahead of us.
_FIRST_CHANGED_FIRST = "last_modified:asc"


@dataclass(frozen=True, slots=True)
class _Kind:
    """How v2 speaks of a resource type; its name is route and array in one."""

    name: str
    one: str
    filter: str | None


_KINDS: dict[ResourceType, _Kind] = {
    "video": _Kind("media", "media", None),
    "channel": _Kind("playlists", "playlist", "playlist_type:manual"),
}


class ManagementV2:
    """ManagementClient for v2."""

    api_version: ApiVersion = "v2"

    def __init__(
        self,
        site_id: str,
        api_secret: str,
        *,
        origin: str = ORIGIN,
        options: ClientOptions | None = None,
        clock: Clock | None = None,
    ) -> None:
        """`site_id` is v1's API key. `origin` is all that comes before `/v2/`. `clock` is for tests."""
        self.stats = RequestStats()
        self._site = f"{origin.rstrip('/')}/v2/sites/{quote(site_id, safe='')}/"
        self._headers = {"Authorization": f"Bearer {api_secret}"}
        credentials = Credentials(
            "JWPLATFORM_V2_API_SECRET, and that it is valid for the site JWPLATFORM_API_KEY", (api_secret,)
        )
        self._transport = Transport(options or ClientOptions(), self.stats, credentials, clock or Clock())

    def list_pages(self, resource_type: ResourceType) -> Iterator[Page]:
        """See ManagementClient. Oldest first; several stretches, by id, when the listing reaches the window.

        Of several stretches, `listing_total` is an estimate but on the last page, where it is the sum of what the
        stretches announced, unless the uncut listing announces another size before and after: then it is that.
        """
        kind = _KINDS[resource_type]
        first = self._slice(kind, None, 1, LARGEST_PAGE)
        if first.total > _reach(first.page_length):
            yield from self._ranges(kind, first)
            return
        for number, (part, _) in enumerate(self._stretch(kind, None, first, 1), start=1):
            yield Page(number, part.text, part.items, 0, part.total, part.page_length, part.total)

    def list_changes(self, resource_type: ResourceType, since: datetime) -> Iterator[Page] | None:
        """See ManagementClient. Media by the day of their last change, which is what is known to work in `q`.

        Playlists cannot be asked for by it: they are listed last changed first, until one is older. Where more
        changed than one query can return, everything is listed.
        """
        if resource_type == "channel":
            return self._changed_playlists(since)
        return self._changed_media(since)

    def _changed_media(self, since: datetime) -> Iterator[Page]:
        kind = _KINDS["video"]
        changed = f"last_modified:[{since:%Y-%m-%d} TO *]"
        first = self._slice(kind, None, 1, LARGEST_PAGE, sort=_FIRST_CHANGED_FIRST, changed=changed)
        if first.total > _reach(first.page_length):
            yield from self.list_pages("video")
            return
        stretch = self._stretch(kind, None, first, 1, sort=_FIRST_CHANGED_FIRST, changed=changed)
        for number, (part, _) in enumerate(stretch, start=1):
            yield Page(number, part.text, part.items, 0, part.total, part.page_length, part.total)

    def _changed_playlists(self, since: datetime) -> Iterator[Page]:
        kind = _KINDS["channel"]
        first = self._slice(kind, None, 1, LARGEST_PAGE, sort=_LAST_CHANGED_FIRST)
        for number, (part, _) in enumerate(self._stretch(kind, None, first, 1, sort=_LAST_CHANGED_FIRST), start=1):
            yield Page(number, part.text, part.items, 0, part.total, part.page_length, part.total)
            oldest = _newest(part.items[-1:])
            if oldest is not None and oldest < since:
                return

    def show(self, resource_type: ResourceType, key: str) -> dict[str, Any] | None:
        """See ManagementClient."""
        kind = _KINDS[resource_type]
        if key in ("", ".", ".."):
            # A path with one of these names the listing or its parent, however it is encoded.
            return None
        try:
            return self._transport.ask(
                f"showing {kind.one} {key}",
                lambda: self._call(f"{kind.name}/{quote(key, safe='')}/"),
                lambda answer: object_of(answer.document, key, "id"),
            )
        except ResourceNotFound:
            return None

    def members(self, channel_key: str) -> list[str]:
        """See ManagementClient. One request: a manual playlist comes with all its members."""
        return self._transport.ask(
            f"showing the members of playlist {channel_key}",
            lambda: self._call(f"playlists/{quote(channel_key, safe='')}/manual_playlist/"),
            lambda answer: _members(object_of(answer.document, channel_key, "id")),
        )

    def probe(self, resource_type: ResourceType) -> Probe:
        """See ManagementClient. One request. Of 10,000 and more, the total may be the window's."""
        kind = _KINDS[resource_type]
        part = self._slice(kind, None, 1, 1, sort=_LAST_CHANGED_FIRST, operation=f"probing {kind.name}")
        return Probe(part.total, _newest(part.items), capped=part.total == WINDOW)

    def close(self) -> None:
        """See ManagementClient."""
        self._transport.close()

    def _ranges(self, kind: _Kind, uncut: Slice) -> Iterator[Page]:
        """Pages of a listing too big for one query; see ranges.py."""
        walk = RangeWalk(uncut.total, WINDOW, uncut.page_length)
        number = stretch = 0
        while (ids := walk.next_range()) is not None:
            first = self._slice(kind, ids, 1, uncut.page_length, number=number + 1)
            if first.total > _reach(first.page_length):
                walk.too_big(ids, first.total)
                continue
            for part, last in self._stretch(kind, ids, first, number + 1):
                number += 1
                if last:
                    walk.read(ids, part.total)
                whole = self._closing_total(kind, uncut, walk) if last and walk.at_end else walk.estimate
                yield Page(number, part.text, part.items, stretch, part.total, part.page_length, whole)
            stretch += 1

    def _stretch(
        self,
        kind: _Kind,
        ids: IdRange | None,
        first: Slice,
        number: int,
        *,
        sort: str = _OLDEST_FIRST,
        changed: str | None = None,
    ) -> Iterator[tuple[Slice, bool]]:
        """Every slice of one query, and whether it is the last; `number` is the first one's in the listing."""
        part, page, position = first, 1, 0
        for pages in count(1):
            # Should JWP change the length it echoes, the pages move: a page beyond what was read is no progress,
            # the next is one that overlaps. Never a gap.
            start = (page - 1) * part.page_length
            if start <= position:
                position = max(position, start + part.page_length)
            last = not part.items or position >= min(part.total, _reach(part.page_length)) or pages >= first.most_pages
            yield part, last
            if last:
                return
            page = position // part.page_length + 1
            part = self._slice(kind, ids, page, part.page_length, number=number + pages, sort=sort, changed=changed)

    def _closing_total(self, kind: _Kind, uncut: Slice, walk: RangeWalk) -> int:
        """What the stretches hold together, or the uncut listing's total when that contradicts it.

        It would if v2 compared ids in another order than ASCII's: ranges would overlap, or leave gaps.
        """
        if uncut.total <= WINDOW:
            return walk.ids_read
        after = self._slice(kind, None, 1, 1, operation=f"counting {kind.name}").total
        low, high = sorted((uncut.total, after))
        return walk.ids_read if low <= walk.ids_read <= high else after

    def _slice(
        self,
        kind: _Kind,
        ids: IdRange | None,
        page: int,
        length: int,
        *,
        number: int = 1,
        sort: str = _OLDEST_FIRST,
        changed: str | None = None,
        operation: str | None = None,
    ) -> Slice:
        """One page of a query; `number` is its number in the whole listing, for messages."""
        parameters: dict[str, str | int] = {"page": page, "page_length": length, "sort": sort}
        conditions = [condition for condition in (ids and ids.query, changed, kind.filter) if condition]
        if conditions:
            parameters["q"] = " AND ".join(conditions)

        def read(answer: Answer) -> Slice:
            part = slice_of(answer, kind.name, "page_length", length)
            if ids is not None:
                _check_range(part.items, ids)
            return part

        try:
            return self._transport.ask(
                operation or f"listing {kind.name}, page {number}",
                lambda: self._call(f"{kind.name}/", urlencode(parameters, quote_via=quote)),
                read,
            )
        except ResourceNotFound as error:
            raise RequestRefused(f"{error} Check JWPLATFORM_API_KEY, the site id.") from None

    def _call(self, path: str, query: str = "") -> Call:
        return Call(self._site + path, query, self._headers)


def _reach(page_length: int) -> int:
    """The largest total that can be read to its end: below the window, in whole pages inside it."""
    return WINDOW - 1 if page_length >= WINDOW else min(WINDOW - 1, WINDOW // page_length * page_length)


def _check_range(items: list[Any], ids: IdRange) -> None:
    first, last = ids.bounds
    for item in items:
        resource_id = item.get("id") if isinstance(item, dict) else None
        if isinstance(resource_id, str) and not first <= resource_id <= last:
            raise MalformedAnswer(
                f"asked for a range of ids ({ids.query}), JW Platform answers with others. A listing of {WINDOW} "
                "and more cannot be read from a server that does so; JWPLATFORM_MANAGEMENT_API=v1 has no such limit."
            )


def _members(playlist: dict[str, Any]) -> list[str]:
    """Video keys of a manual playlist; none when it has no filter yet."""
    value: Any = playlist
    for name in ("metadata", "media_filter", "include", "values"):
        value = value.get(name) if isinstance(value, dict) else None
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(key, str) for key in value):
        raise MalformedAnswer("the playlist's members are not a list of media ids.")
    return value


def _newest(items: list[Any]) -> datetime | None:
    modified = items[0].get("last_modified") if items and isinstance(items[0], dict) else None
    try:
        moment = datetime.fromisoformat(modified) if isinstance(modified, str) else None
        return moment and (moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None
