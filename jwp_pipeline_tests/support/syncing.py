"""Helpers to sync from a simulated site with a client that never waits."""

from contextlib import contextmanager

import pytest

from jwp_pipeline.jwplatform import v1, v2
from jwp_pipeline.jwplatform.management import ClientOptions
from jwp_pipeline.jwplatform.pacing import Clock
from jwp_pipeline.mirror.apply import apply_newest
from jwp_pipeline.mirror.landing import read_listing
from jwp_pipeline.mirror.options import MirrorOptions


class ImpatientClock(Clock):
    """A real clock that jumps ahead instead of sleeping."""

    def __init__(self):
        super().__init__()
        self._ahead = 0.0

    def monotonic(self):
        return super().monotonic() + self._ahead

    def sleep(self, seconds):
        self._ahead += seconds


@contextmanager
def jwplatform(simulator, api="v1", *, page_length=1000):
    """Make a client of the simulated site that never waits. It gives up after a minute by its own clock."""
    options = ClientOptions(requests_per_minute=10_000, deadline=60.0)
    where = {"origin": simulator.url, "options": options, "clock": ImpatientClock()}
    make = {
        "v1": lambda: v1.ManagementV1(simulator.api_key, simulator.api_secret, **where),
        "v2": lambda: v2.ManagementV2(simulator.api_key, simulator.v2_secret, **where),
    }
    with pytest.MonkeyPatch.context() as patch:
        for module in (v1, v2):
            patch.setattr(module, "LARGEST_PAGE", page_length)
        client = make[api]()
        try:
            yield client
        finally:
            client.close()


def sync(engine, client, resource_type="video", **options):
    """Read one listing and apply it. Returns (Listing, Applied)."""
    listing = read_listing(engine, client, resource_type)
    applied = apply_newest(engine, resource_type, options=MirrorOptions(**options), client=client)
    return listing, applied
