"""Reads v1 of the Management API, with signed calls and listings that are paged by offset.

transport.py and answers.py hold what both clients share, and signing.py makes the signature.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from typing import Any, ClassVar

from jwp_pipeline.errors import MalformedAnswer, RequestRefused, ResourceNotFound
from jwp_pipeline.jwplatform.answers import Answer, Slice, object_of, slice_of
from jwp_pipeline.jwplatform.census import Census
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
from jwp_pipeline.jwplatform.refusals import Credentials
from jwp_pipeline.jwplatform.shapes import (
    KEY_FIELDS,
    LISTED_PLAYLISTS,
    PLAYLIST_TYPE_FIELDS,
    STAMP_FIELDS,
    array_field,
    change_stamp,
)
from jwp_pipeline.jwplatform.signing import signed_query
from jwp_pipeline.jwplatform.transport import Transport
from jwp_pipeline.jwplatform.wire import Call
from jwp_pipeline.masking import Masker
from jwp_pipeline.rate_limit import Lane

ORIGIN = "https://api.jwplatform.com"
LARGEST_PAGE = 1000


@dataclass(frozen=True, slots=True)
class _Kind:
    """The names that v1 uses for a resource type."""

    array: str
    """The name of the array in its listings, which is also its route."""
    single: str
    listing: dict[str, str]
    newest_first: dict[str, str]

    @property
    def key_parameter(self) -> str:
        return f"{self.single}_{_KEY}"


_KEY = KEY_FIELDS["v1"]
_MANUAL = {f"{PLAYLIST_TYPE_FIELDS['v1']}s_filter": LISTED_PLAYLISTS}
_KINDS: dict[ResourceType, _Kind] = {
    # Oldest first, so that a video uploaded while we read is added at the end and shifts nothing. With the newest
    # first, every upload would push one video over each page boundary.
    "video": _Kind(
        array_field("v1", "video"), "video", {"order_by": "date:asc"}, {"order_by": f"{STAMP_FIELDS['v1']}:desc"}
    ),
    # No order is documented for channels/list.
    "channel": _Kind(array_field("v1", "channel"), "channel", _MANUAL, _MANUAL),
}


class ManagementV1:
    """ManagementClient for v1."""

    api_version: ApiVersion = "v1"
    _writes: ClassVar[bool] = False
    """Whether its requests are edits, which go before all others."""

    def __init__(
        self,
        api_key: str,
        api_secret: str,
        *,
        origin: str = ORIGIN,
        options: ClientOptions | None = None,
        masked: Masker | None = None,
        clock: Clock | None = None,
    ) -> None:
        """`origin` is the URL before `/v1/`. `masked` hides further secrets, and `clock` is for tests."""
        self.stats = RequestStats()
        self._key = api_key
        self._secret = api_secret
        self._base = f"{origin.rstrip('/')}/v1/"
        self._clock = clock or Clock()
        options = options or ClientOptions()
        if self._writes:
            options = replace(options, lane=Lane.EDITS)
        self._page_length = options.page_length or PageLength()
        credentials = Credentials("JWPLATFORM_API_KEY and JWPLATFORM_API_SECRET", masked or Masker([api_secret]))
        self._transport = Transport(origin, options, self.stats, credentials, self._clock)

    def list_pages(self, resource_type: ResourceType, census: Census | None = None) -> Iterator[Page]:
        """See ManagementClient. There is one stretch, with the oldest videos first and channels in v1's own order."""
        kind = _KINDS[resource_type]
        slices = self._slices(f"listing {kind.array}", f"{kind.array}/list", kind.listing, kind.array)
        for number, part in enumerate(slices, start=1):
            yield Page(number, part.text, part.items, 0, part.total, part.page_length, part.total)

    def list_changes(self, resource_type: ResourceType, since: datetime) -> Iterator[Page] | None:
        """See ManagementClient. It uses `updated_after`; whether that includes the given second is not documented."""
        if resource_type == "channel":
            return None
        kind = _KINDS[resource_type]
        after = max(0, int(since.timestamp()) - 1)
        parameters = {"order_by": f"{STAMP_FIELDS['v1']}:asc", "updated_after": str(after)}
        slices = self._slices(f"listing changed {kind.array}", f"{kind.array}/list", parameters, kind.array)
        return (
            Page(number, part.text, part.items, 0, part.total, part.page_length, part.total)
            for number, part in enumerate(slices, start=1)
        )

    def show(self, resource_type: ResourceType, key: str) -> dict[str, Any] | None:
        """See ManagementClient."""
        kind = _KINDS[resource_type]

        def read(answer: Answer) -> dict[str, Any]:
            document = answer.document
            single = document.get(kind.single) if isinstance(document, dict) else None
            return object_of(single, key, _KEY)

        try:
            return self._transport.ask(
                f"showing {kind.single} {key}",
                lambda: self._call(f"{kind.array}/show", {kind.key_parameter: key}),
                read,
            )
        except ResourceNotFound:
            return None

    def members(self, channel_key: str) -> list[str]:
        """See ManagementClient."""
        operation = f"listing the videos of channel {channel_key}"
        slices = self._slices(
            operation, "channels/videos/list", {"channel_key": channel_key}, array_field("v1", "video")
        )
        return [_member_key(video, channel_key) for part in slices for video in part.items]

    def probe(self, resource_type: ResourceType) -> Probe:
        """See ManagementClient. It takes one request."""
        kind = _KINDS[resource_type]
        part = self._slice(
            f"probing {kind.array}", f"{kind.array}/list", {**kind.newest_first, "result_limit": 1}, kind.array
        )
        return Probe(part.total, change_stamp(part.items[0]) if part.items else None)

    def close(self) -> None:
        """See ManagementClient."""
        self._transport.close()

    def _slices(self, operation: str, route: str, parameters: dict[str, str], array: str) -> Iterator[Slice]:
        """Yield all slices of a list call; there is at least one."""

        def page(number: int, offset: int, length: int) -> Slice:
            paging = {"result_limit": length, "result_offset": offset}
            try:
                return self._slice(f"{operation}, page {number}", route, {**parameters, **paging}, array)
            except ResourceNotFound as error:
                if "channel_key" in parameters:
                    raise
                raise RequestRefused(f"{error} Check JWPLATFORM_API_KEY, the site's key.") from None

        part, length = self._page_length.first_page(route, LARGEST_PAGE, lambda length: page(1, 0, length))
        offset, most = 0, part.most_pages
        for number in count(1):
            yield part
            # We count the elements that came, not those requested, so that nothing is skipped after a short page.
            offset += len(part.items)
            if not part.items or offset >= part.total or number >= most:
                return
            part = page(number + 1, offset, length)

    def _slice(self, operation: str, route: str, parameters: dict[str, Any], array: str) -> Slice:
        return self._transport.ask(
            operation,
            lambda: self._call(route, parameters),
            lambda answer: slice_of(answer, array, "limit", parameters["result_limit"]),
        )

    def _call(self, route: str, parameters: dict[str, Any]) -> Call:
        query = signed_query(
            parameters,
            key=self._key,
            secret=self._secret,
            nonce=f"{secrets.randbelow(10**8):08d}",
            timestamp=int(self._clock.time()),
        )
        return Call(self._base + route, query)


def _member_key(video: Any, channel_key: str) -> str:
    key = video.get(_KEY) if isinstance(video, dict) else None
    if not isinstance(key, str):
        raise MalformedAnswer(
            f"Listing the videos of channel {channel_key}: one has no key, so their order is not known."
        )
    return key
