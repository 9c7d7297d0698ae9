"""The simulated site as all APIs see it: its library, its credentials, and the behaviour of its server."""

from __future__ import annotations

import random
import secrets
import string
import time
from dataclasses import dataclass, field
from typing import Literal

from jwp_pipeline.simulator.directory import DEMO_PEOPLE, Member
from jwp_pipeline.simulator.library import Library
from jwp_pipeline.simulator.listing import Listings
from jwp_pipeline.simulator.rate_limit import Allowance, RateLimiter
from jwp_pipeline.simulator.webhooks import Webhooks

SITE_KEY = "DemoSite"
PLAYER_KEY = "DemoPlyr"
SECRETS = ("api_secret", "v2_secret", "client_secret")
"""The names of a site's secrets."""


@dataclass(slots=True, kw_only=True)
class Behaviour:
    """Behaviour that is not documented or differs between sites. It may be changed while the server runs."""

    max_page_length: int = 1000
    """The longest page. The default page length is 10 in v2 and 50 in v1."""
    longer_pages: Literal["cut", "refused"] = "cut"
    """Whether a longer page is cut to the maximum, which the answer echoes, or refused with HTTP 400."""
    window: int = 10_000
    """v2: the largest number of results of one query."""
    past_window: Literal["empty", "error"] = "empty"
    """v2: whether a page past the window is empty or HTTP 400 (also for a page that only reaches past it)."""
    total_is_capped: bool = False
    """v2: `total` stops at the window, too."""
    unstable_ties: bool = False
    """Records with equal sort values stand in another order at every request (seeded)."""
    seed: int = 0
    requests_per_minute: int | None = None
    """The limit, counted separately for each API, above which the answer is HTTP 429. With None there is no limit, but
    the counters pretend that it is 60."""
    rate_window: Literal["minute", "sliding"] = "minute"
    """The limit counts within the clock's minute, or within the last 60 seconds."""
    minute_seconds: float = 60.0
    """The length of that minute; tests make it shorter."""
    retry_after: bool = False
    """Whether a 429 carries Retry-After."""
    bare_error_array: bool = False
    """v2: error bodies are a bare array instead of `{"errors": [...]}`."""
    read_only: bool = False
    """Whether both secrets may only read; a write is then HTTP 403."""
    blank_description: Literal["ignored", "refused"] = "ignored"
    """v1: whether an empty description leaves the old one as it is, or is HTTP 400."""
    nested_properties: bool = False
    """Whether custom properties with dots in their names are kept and shown as nested objects."""
    index_lag_seconds: float = 0.0
    """How long listings and searches do not know of a write."""
    upload_link_seconds: float = 7 * 86_400.0
    """How long an upload link is valid."""
    processing_seconds: float = 0.0
    """How long a video is processed after its file has arrived."""
    timestamp_tolerance: float = 600.0
    """v1: seconds that a request's clock may differ from ours."""
    token_seconds: float = 3600.0
    """Lookup: how long a token is valid."""
    signed_content: bool = True
    """Delivery: `/v2/media`, manifests and renditions need a signature. One that is given is always checked."""
    signed_players: bool = True
    """Delivery: players and their libraries need a signature. One that is given is always checked."""


def _secret() -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(24))


@dataclass(slots=True)
class Site:
    """One site. Credentials are invented anew for each unless given."""

    library: Library
    behaviour: Behaviour
    api_key: str = SITE_KEY
    player_key: str = PLAYER_KEY
    api_secret: str = field(default_factory=_secret, repr=False)
    v2_secret: str = field(default_factory=_secret, repr=False)
    client_id: str = "demo-client"
    client_secret: str = field(default_factory=_secret, repr=False)
    people: dict[str, Member] = field(default_factory=lambda: dict(DEMO_PEOPLE))
    """The people whom Lookup knows, by identifier."""
    listings: Listings = field(init=False)
    v1_limiter: RateLimiter = field(init=False)
    v2_limiter: RateLimiter = field(init=False)
    webhooks: Webhooks = field(init=False)
    _requests: int = 0

    def __post_init__(self) -> None:
        self.listings = Listings(self.library)
        self.v1_limiter = RateLimiter(time.time)
        self.v2_limiter = RateLimiter(time.time)
        self.webhooks = Webhooks(self.api_key)
        self.library.watch(self.webhooks.changed)

    def tie_shuffle(self) -> random.Random | None:
        """Chance for one request's ties, None when ties are stable."""
        if not self.behaviour.unstable_ties:
            return None
        self._requests += 1
        return random.Random(f"{self.behaviour.seed}:{self._requests}")  # noqa: S311 - reproducible on purpose

    def allowance(self, limiter: RateLimiter) -> Allowance:
        """Count one request against a limit."""
        behaviour = self.behaviour
        return limiter.take(
            behaviour.requests_per_minute, behaviour.minute_seconds, sliding=behaviour.rate_window == "sliding"
        )
