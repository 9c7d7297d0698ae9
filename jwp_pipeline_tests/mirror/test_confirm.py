"""The second look: what a listing misses is deleted only when JW Platform, asked again, does not have it."""

import pytest

from jwp_pipeline.errors import JWPlatformError, Unreachable
from jwp_pipeline.mirror.apply import apply_newest
from jwp_pipeline.mirror.landing import read_listing
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline.simulator import Fault
from jwp_pipeline_tests.mirror.conftest import PAGE, swap
from jwp_pipeline_tests.support import cache, jwplatform, live, sync, video, videos

OPEN = {"max_delete_ratio": 1.0}
FOR_EVER = None


@pytest.fixture(autouse=True)
def site(twelve_videos):
    """Every test begins with a site of 12 videos."""


def shown(simulator):
    return [request for request in simulator.requests if request.route == "show"]


def test_few_deletions_are_confirmed_one_by_one(engine, simulator, client):
    sync(engine, client)
    simulator.library.remove("video", "v0000", "v0011")
    _, applied = sync(engine, client)
    assert applied.plan.deleted == 2
    assert [request.status for request in shown(simulator)] == [404, 404]


def test_many_deletions_are_confirmed_by_listing_again(engine, simulator, client):
    simulator.library.replace_all(videos(*range(60)), [])
    sync(engine, client)
    simulator.library.remove("video", *simulator.library.keys("video")[:25])
    simulator.forget_requests()
    listing, applied = sync(engine, client, **OPEN)
    assert applied.plan.deleted == 25
    assert applied.plan.snapshot_id == listing.snapshot_id + 1
    assert not shown(simulator)
    assert len(simulator.requests) == 2 * 35 / PAGE


def test_many_that_a_listing_lacked_and_the_next_one_has_stay(engine, simulator, client):
    simulator.library.replace_all(videos(*range(60)), [])
    sync(engine, client)
    there_all_the_time = simulator.library.keys("video")[:25]
    # As a lagging index at JWP would have it: first they are not found, then they are.
    simulator.library.remove("video", *there_all_the_time, "v0059")
    back = Fault.edit(lambda library: library.restore("video", *there_all_the_time))
    simulator.faults.add(back, route="list", page=7)
    listing, applied = sync(engine, client)
    assert listing.verified
    assert applied.plan.deleted == 1
    assert live(engine) == set(simulator.library.keys("video"))


def test_what_only_the_second_listing_misses_stays(engine, simulator, client):
    simulator.library.replace_all(videos(*range(60)), [])
    sync(engine, client)
    simulator.library.remove("video", *simulator.library.keys("video")[:25])
    # The first 35 are read; while they are read again, v0030 slips to a page that was read already.
    simulator.faults.add(swap("v0026", "v0099"), route="list", page=1, nth=2)
    listing, applied = sync(engine, client, **OPEN)
    assert (listing.verified, applied.plan.deleted, applied.plan.spared) == (True, 25, 1)
    assert live(engine) == {*simulator.library.keys("video"), "v0026"}


@pytest.mark.parametrize("hidden", [2, 27])
def test_what_a_wrong_total_hides_is_seen_through(engine, simulator, client, hidden):
    simulator.library.replace_all(videos(*range(hidden + 20)), [])
    sync(engine, client)
    # Once for a read of 20: these numbers agree with one another.
    simulator.faults.add(Fault.wrong_total(-hidden), route="list", times=20 // PAGE)
    listing, applied = sync(engine, client)
    assert (listing.status, listing.resource_count, applied.plan.deleted) == ("verified", 20, 0)
    assert len(live(engine)) == hidden + 20


def test_without_a_client_nothing_is_deleted(engine, simulator, client):
    sync(engine, client)
    simulator.library.remove("video", "v0000")
    read_listing(engine, client, "video")
    applied = apply_newest(engine, "video", options=MirrorOptions(), client=None)
    assert (applied.plan.deleted, applied.plan.spared, len(live(engine))) == (0, 1, 12)
    _, applied = sync(engine, client)
    assert applied.plan.deleted == 1


def test_jwp_away_during_the_confirmation_leaves_all_for_later(engine, simulator, client):
    sync(engine, client)
    simulator.library.remove("video", "v0000")
    simulator.library.put("video", video("v0012"))
    read_listing(engine, client, "video")
    before = cache(engine)
    for fault, problem in ((Fault.drop(), Unreachable), (Fault.status(503, "html"), JWPlatformError)):
        simulator.faults.add(fault, route="show", times=FOR_EVER)
        with pytest.raises(problem, match="v0000"):
            apply_newest(engine, "video", options=MirrorOptions(), client=client)
        assert cache(engine) == before
        simulator.faults.clear()
    applied = apply_newest(engine, "video", options=MirrorOptions(), client=client)
    assert (applied.plan.added, applied.plan.deleted) == (1, 1)


@pytest.mark.parametrize("unreadable", [2, 25])
def test_what_became_unreadable_is_not_deleted_for_it(engine, simulator, api, unreadable):
    library = simulator.library
    library.replace_all(videos(*range(60)), [])
    with jwplatform(simulator, api) as client:
        sync(engine, client)
        for number, key in enumerate(library.keys("video")[:unreadable]):
            library.override("video", key, [None, 7, {"title": "no key"}, {"key": ""}][number % 4])
        library.remove("video", "v0058", "v0059")
        listing, applied = sync(engine, client)
    assert listing.verified
    assert (applied.plan.deleted, applied.plan.spared) == (2, unreadable)
    assert live(engine) == set(library.keys("video"))
    assert applied.open_problems == unreadable
