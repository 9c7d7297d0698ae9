"""How many requests a sync sends: the bounds of docs/scale.md, counted by the server, for v1 and v2."""

from math import ceil

import pytest

from jwp_pipeline.jwplatform import v2
from jwp_pipeline.jwplatform.census import EVERY, Census
from jwp_pipeline.jwplatform.management import RESOURCE_TYPES
from jwp_pipeline.simulator import Simulator, bulk_library
from jwp_pipeline_tests.support import Site, client_of, pages_of_at_most, sync_changes, video

PAGE = 100
SHORT = 10
"""The bytes of a description, so that much is listed in little time."""


def sent(simulator):
    """Return the number of requests since the last call."""
    number = len(simulator.requests)
    simulator.forget_requests()
    return number


@pytest.fixture
def pages():
    with pages_of_at_most(PAGE):
        yield


@pytest.mark.parametrize("videos", [0, 1, 99, 100, 101, 950])
def test_a_full_sync_takes_its_pages(api, videos, engine, simulator, pages):
    """One request for a page of each listing, also if nothing is listed."""
    library = bulk_library(videos, channels=120, bytes_per_video=SHORT)
    simulator.library.load("video", library.records("video"))
    simulator.library.load("channel", library.records("channel"))
    with Site(engine, simulator, api) as site:
        for _ in range(2):
            site.fetch()
            assert sent(simulator) == max(1, ceil(videos / PAGE)) + ceil(120 / PAGE)


@pytest.mark.parametrize("videos", [90, 1900])
@pytest.mark.parametrize("changed", [0, 1, 80])
def test_a_frequent_sync_takes_the_pages_of_what_changed_and_three_more(
    api, videos, changed, engine, simulator, pages, monkeypatch
):
    """However many resources there are, and also if v2 cannot list them in one query."""
    monkeypatch.setattr(v2, "WINDOW", 1000)
    simulator.behaviour.window = 1000
    library = bulk_library(videos, channels=40, bytes_per_video=SHORT)
    simulator.library.load("video", library.records("video"))
    simulator.library.load("channel", library.records("channel"))
    with Site(engine, simulator, api) as site:
        # v2 lists the changes of whole days, so the newest change of before is alone on its day.
        stamp = max(record.modified for record in library.records("video")) + 3 * 86_400
        simulator.library.edit("video", library.keys("video")[-1], updated=stamp)
        site.fetch()
        sent(simulator)
        for number, key in enumerate(library.keys("video")[:changed]):
            simulator.library.edit("video", key, title="Changed", updated=stamp + 1 + number)
        for resource_type in RESOURCE_TYPES:
            listing, applied = sync_changes(engine, site.client, resource_type)
            assert listing.verified
            assert applied.plan.changed == (changed if resource_type == "video" else 0)
        assert sent(simulator) <= 3 + ceil(changed / PAGE)


@pytest.mark.slow
@pytest.mark.parametrize(("videos", "known"), [(25_000, False), (25_000, True), (100_000, True)])
def test_beyond_v2s_window_a_listing_takes_a_few_more_requests_than_pages(videos, known):
    """Two more, and at most 3 % if the ids are known from earlier listings, or else 13 %."""
    library = bulk_library(videos, channels=0, bytes_per_video=SHORT)
    census = Census(sorted(library.keys("video"))[::EVERY]) if known else None
    with Simulator(library) as simulator:
        client = client_of(simulator, "v2")
        listed = sum(len(page.items) for page in client.list_pages("video", census))
        assert listed == videos
        assert sent(simulator) <= ceil(videos / 1000 * (1.03 if known else 1.13)) + 2
        client.close()


@pytest.mark.slow
def test_the_cache_tells_which_ids_are_known(engine):
    """The second listing of a big library takes fewer requests than the first, and both are complete."""
    with (
        Simulator(bulk_library(12_000, channels=0, bytes_per_video=SHORT)) as simulator,
        Site(engine, simulator, "v2") as site,
    ):
        site.fetch("video")
        first = sent(simulator)
        simulator.library.put("video", video("addedAAA"))
        site.fetch("video")
        assert sent(simulator) == ceil(12_001 / 980) + 2 < first


def test_v1_lists_any_number_page_by_page(simulator):
    simulator.library.load("video", bulk_library(2_001, channels=0, bytes_per_video=SHORT).records("video"))
    client = client_of(simulator, "v1")
    assert sum(len(page.items) for page in client.list_pages("video")) == 2_001
    assert sent(simulator) == 3
