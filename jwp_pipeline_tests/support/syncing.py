"""Helpers to sync from a simulated site with a client that never waits, one step at a time; Site does whole syncs."""

from contextlib import contextmanager
from datetime import timedelta

import pytest

from jwp_pipeline.jwplatform import v1, v2
from jwp_pipeline.jwplatform.management import ClientOptions
from jwp_pipeline.jwplatform.pacing import Clock
from jwp_pipeline.jwplatform.writing_v1 import WritingV1
from jwp_pipeline.jwplatform.writing_v2 import WritingV2
from jwp_pipeline.media.options import MediaOptions
from jwp_pipeline.media.report import MEDIA_ASSETS
from jwp_pipeline.media.sync import sync_media
from jwp_pipeline.mirror.apply import apply_newest
from jwp_pipeline.mirror.changes import read_changes
from jwp_pipeline.mirror.landing import read_listing
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline.settings import load_settings


class ImpatientClock(Clock):
    """A real clock that jumps ahead instead of sleeping."""

    def __init__(self):
        super().__init__()
        self._ahead = 0.0

    def monotonic(self):
        return super().monotonic() + self._ahead

    def sleep(self, seconds):
        self._ahead += seconds


def client_of(simulator, api="v1", *, clock=None, **options):
    """Make a client of the simulated site. `options` are those of ClientOptions; by default it never waits."""
    options = ClientOptions(**{"requests_per_minute": 10_000, **options})
    where = {"origin": simulator.url, "options": options, "clock": clock or ImpatientClock()}
    if api == "v1":
        return v1.ManagementV1(simulator.api_key, simulator.api_secret, **where)
    return v2.ManagementV2(simulator.api_key, simulator.v2_secret, **where)


def writing_client_of(simulator, api="v1", *, clock=None, **options):
    """Make a client that writes to the simulated site. `options` are as for `client_of`."""
    options = ClientOptions(**{"requests_per_minute": 10_000, **options})
    where = {"origin": simulator.url, "options": options, "clock": clock or ImpatientClock()}
    if api == "v1":
        return WritingV1(simulator.api_key, simulator.api_secret, force_https_upload=False, **where)
    return WritingV2(simulator.api_key, simulator.v2_secret, **where)


@contextmanager
def jwplatform(simulator, api="v1", *, page_length=1000):
    """Yield a client of the simulated site that never waits. It gives up after a minute by its own clock."""
    with pages_of_at_most(page_length):
        client = client_of(simulator, api, deadline=60.0)
        try:
            yield client
        finally:
            client.close()


@contextmanager
def pages_of_at_most(length):
    """Make all clients ask for pages of at most this length during the block."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (v1, v2):
            patch.setattr(module, "LARGEST_PAGE", length)
        yield


def sync(engine, client, resource_type="video", **options):
    """Read one listing and apply it. Returns (Listing, Applied)."""
    listing = read_listing(engine, client, resource_type)
    applied = apply_newest(engine, resource_type, options=MirrorOptions(**options), client=client)
    return listing, applied


def sync_changes(engine, client, resource_type="video", *, overlap=timedelta(hours=1), **options):
    """Run a frequent sync: read the changes since the last sync and apply them. Returns (Listing, Applied)."""
    listing = read_changes(engine, client, resource_type, overlap=overlap)
    applied = apply_newest(engine, resource_type, options=MirrorOptions(**options), client=client)
    return listing, applied


def follow(engine, *assets, client=None, sync_all=False, **settings):
    """Bring the media side, or only `assets`, in step with the cache. Returns the report."""
    options = MediaOptions.from_settings(load_settings(**settings), sync_all=sync_all)
    return sync_media(engine, assets or MEDIA_ASSETS, options=options, client=client)
