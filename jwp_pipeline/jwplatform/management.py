"""Defines the interface through which the rest of the pipeline reads JW Platform, whichever Management API is in use.

`v1.py` and `v2.py` implement `ManagementClient`, and `connect()` chooses between them. Put here what both clients have
in common for their callers; signatures, query parameters and error bodies stay inside the clients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from jwp_pipeline.jwplatform.census import Census
from jwp_pipeline.jwplatform.limiter import Limiter
from jwp_pipeline.jwplatform.page_length import PageLength
from jwp_pipeline.jwplatform.patience import Patience
from jwp_pipeline.rate_limit import Lane

ResourceType = Literal["video", "channel"]
RESOURCE_TYPES: tuple[ResourceType, ...] = ("video", "channel")
ApiVersion = Literal["v1", "v2"]


@dataclass(frozen=True, slots=True)
class Probe:
    """A summary of a listing, from one or two requests, which is enough to decide whether to sync."""

    total: int
    newest_change: datetime | None
    """The latest change stamp, in UTC; None for an empty listing, and for v1 channels, which have no stamp."""
    capped: bool = False
    """Whether `total` may be the number at which v2 stops counting; then there may be more resources than `total`."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing as JWP sent it, with the numbers that prove the listing complete.

    A listing normally consists of one stretch. If it exceeds v2's window of 10,000 results, the client cuts it into
    several stretches, by ranges of ids. Stretches do not overlap, and each is paged separately.
    """

    number: int
    """The page's number in the whole listing, counted from 1 in the order received."""
    body: str
    """The answer's JSON text as received."""
    items: list[Any]
    """The parsed elements of the listing's array, in order. They are normally objects, but may be any JSON value."""
    stretch: int
    """The number of the stretch that this page belongs to, counted from 0."""
    stretch_total: int
    """The size of its stretch, as announced by this page."""
    page_length: int
    """The largest number of elements that this page could have held, as echoed by JWP."""
    listing_total: int
    """The size of the whole listing as last announced; until the last page it may be an estimate, for progress."""
    probe: Probe | None = None
    """What a probe would have found at this moment, if the page tells that as well."""


@dataclass(slots=True)
class RequestStats:
    """The counters of one client since it was made. Seconds are wall-clock time."""

    requests: int = 0
    retries: int = 0
    seconds_waiting: float = 0.0
    """Time spent waiting for the rate limit and in back-off, not on the network."""


class ManagementClient(Protocol):
    """Reads a Management API. A client is not thread-safe: only one thread may use it at a time."""

    api_version: ApiVersion
    stats: RequestStats

    def list_pages(self, resource_type: ResourceType, census: Census | None = None) -> Iterator[Page]:
        """Yield all videos, or all manual channels, page by page. An empty library gives one empty page.

        A `census` of the ids that are known makes a big listing take fewer requests.

        The iterator ends when the announced total is reached or a page is empty. The caller has to check whether the
        listing is complete. Raises JWPlatformError.
        """
        ...

    def list_changes(self, resource_type: ResourceType, since: datetime) -> Iterator[Page] | None:
        """Yield the resources that changed at `since` (UTC) or later, page by page; some older ones may be included.

        Returns None if JWP cannot list changes, which is so for v1 channels because they have no change stamp. Deleted
        resources are never listed.
        """
        ...

    def show(self, resource_type: ResourceType, key: str) -> dict[str, Any] | None:
        """Return one resource by key, without its envelope, or None if JWP answers 404."""
        ...

    def members(self, channel_key: str) -> list[str]:
        """Return the video keys of a manual channel or playlist in order, duplicates included."""
        ...

    def probe(self, resource_type: ResourceType) -> Probe:
        """Return the total and the newest change of a listing, with one or two requests."""
        ...

    def close(self) -> None:
        """Close the session."""
        ...


@dataclass(frozen=True, slots=True)
class WaitNotice:
    """A notice that the client is about to sleep, for code that shows progress."""

    seconds: float
    reason: str
    host: str
    """The host (and port) that the next request will go to."""
    seconds_left: float | None = None
    """Seconds until the client gives up, if it waits after a failure; None if it only keeps to the rate limit."""


WaitObserver = Callable[[WaitNotice], None]


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """How a client behaves, for both v1 and v2. Times are in seconds."""

    requests_per_minute: int = 60
    limiter: Limiter | None = field(default=None, compare=False)
    """A limiter shared with other clients; by default the client makes its own."""
    lane: Lane = Lane.LISTINGS
    """Which of the clients that share the limiter go before it."""
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    deadline: float = 600.0
    """The total time that one request may take, including all its retries."""
    patience: Patience | None = field(default=None, compare=False)
    """An additional limit on the requests of a run, shared by all its clients."""
    page_length: PageLength | None = field(default=None, compare=False)
    """The longest page that the site accepts, shared with other clients; by default the client learns it itself."""
    on_wait: WaitObserver | None = field(default=None, compare=False)
