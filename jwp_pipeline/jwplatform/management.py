"""What the rest of the pipeline may ask of JW Platform, whichever Management API answers.

`ManagementClient` is the one small interface; `v1.py` and `v2.py` implement it, `connect()` chooses. Signatures, query
parameters and error bodies are the clients' own; what becomes of a page is the mirror's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from jwp_pipeline.jwplatform.pacing import RateLimiter
from jwp_pipeline.jwplatform.page_length import PageLength
from jwp_pipeline.jwplatform.patience import Patience

ResourceType = Literal["video", "channel"]
RESOURCE_TYPES: tuple[ResourceType, ...] = ("video", "channel")
ApiVersion = Literal["v1", "v2"]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing, as JWP sent it, with what is needed to prove the listing complete.

    A listing is one stretch, or several where v2's window of 10,000 results made the client cut it into
    ranges of id; stretches partition the listing, and each is paged on its own.
    """

    number: int
    """1, 2, … over the whole listing, in the order received."""
    body: str
    """The answer's JSON text as received."""
    items: list[Any]
    """The parsed elements of the listing's array, in order: normally objects, but nothing is assumed."""
    stretch: int
    """0, 1, … : which stretch this page belongs to."""
    stretch_total: int
    """Size of its stretch as this very page announces it."""
    page_length: int
    """The largest number of elements that this page could have held (as echoed by JWP)."""
    listing_total: int
    """Size of the whole listing as announced last; an estimate while paging, for progress."""


@dataclass(slots=True)
class RequestStats:
    """Counters of one client since it was made. Seconds are wall-clock."""

    requests: int = 0
    retries: int = 0
    seconds_waiting: float = 0.0
    """Time spent in the rate limiter and in back-off, not on the wire."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What a request or two tell about a listing: enough to decide whether to sync."""

    total: int
    newest_change: datetime | None
    """The latest change stamp, UTC; None for an empty listing and for v1 channels, which carry no stamp."""
    capped: bool = False
    """Whether `total` may be where v2 stops counting: then there are at least that many."""


class ManagementClient(Protocol):
    """Reading side of a Management API. Not thread-safe: one client, one thread at a time."""

    api_version: ApiVersion
    stats: RequestStats

    def list_pages(self, resource_type: ResourceType) -> Iterator[Page]:
        """All videos, or all manual channels, page by page; at least one page, also for an empty library.

        Ends when the announced total is reached or a page is empty. Whether the listing is complete is
        for the reader of the pages to prove. Raises JWPlatformError.
        """
        ...

    def list_changes(self, resource_type: ResourceType, since: datetime) -> Iterator[Page] | None:
        """What changed at `since` (UTC) or later, page by page, and perhaps some of what changed before.

        None where JWP cannot be asked for that: v1 channels carry no stamp. What was deleted never shows.
        """
        ...

    def show(self, resource_type: ResourceType, key: str) -> dict[str, Any] | None:
        """One resource by key, unwrapped from its envelope, or None when JWP answers 404."""
        ...

    def members(self, channel_key: str) -> list[str]:
        """Video keys of a manual channel or playlist in its order, duplicates kept."""
        ...

    def probe(self, resource_type: ResourceType) -> Probe:
        """Total and newest change of a listing, in one request or two."""
        ...

    def close(self) -> None:
        """Close the session."""
        ...


@dataclass(frozen=True, slots=True)
class WaitNotice:
    """The client is about to sleep: told to whoever shows progress."""

    seconds: float
    reason: str
    host: str
    """Host (and port) that will be asked after it."""
    seconds_left: float | None = None
    """Until it gives up, when it waits because of trouble; None when it only keeps to the rate limit."""


WaitObserver = Callable[[WaitNotice], None]


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """How a client behaves; the same for v1 and v2. Times in seconds."""

    requests_per_minute: int = 60
    limiter: RateLimiter | None = field(default=None, compare=False)
    """What keeps to that rate, where a client does so together with others; by default one of its own."""
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    deadline: float = 600.0
    """Total time one request may take with all its retries."""
    patience: Patience | None = field(default=None, compare=False)
    """What limits all requests of a run together, besides; a run that makes several clients shares one."""
    page_length: PageLength | None = field(default=None, compare=False)
    """What is known of the longest page that the site takes, where clients share it; by default one of its own."""
    on_wait: WaitObserver | None = field(default=None, compare=False)
