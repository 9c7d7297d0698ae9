"""Reading only the changes deletes nothing by itself, misses nothing that JW Platform shows, and is cheap."""

import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jwp_pipeline.errors import MalformedAnswer
from jwp_pipeline.jwplatform import v2
from jwp_pipeline.simulator import Fault
from jwp_pipeline_tests.mirror.changing_site import HOUR, ChangingSite
from jwp_pipeline_tests.support import empty, live, pages_of_at_most, rows, sync, touched

FAR_FUTURE = 4_102_444_800
"""2100-01-01."""


@pytest.fixture
def make_site(engine, simulator):
    """A function that makes a site for an API and a type of resource, with three resources per page."""
    with pages_of_at_most(3), ExitStack() as sites:
        yield lambda *what, **clock: sites.enter_context(ChangingSite(engine, simulator, *what, **clock))


LISTED_BY_CHANGE = [("v1", "video"), ("v2", "video"), ("v2", "channel")]

steps = st.lists(
    st.one_of(
        st.tuples(st.just("edit"), st.integers(0, 9), st.sampled_from([0, 0, 0.3, 1])),
        st.tuples(st.just("add"), st.sampled_from([0, 0.5, 1])),
        st.tuples(st.just("add with an old stamp"), st.integers(0, 9)),
        st.tuples(st.just("remove"), st.integers(0, 9)),
        st.tuples(st.just("restore")),
        st.tuples(st.just("stamp from the future"), st.integers(0, 9)),
        st.tuples(st.just("wait"), st.sampled_from([1, 0.2, 3, 40])),
        st.tuples(st.just("sync")),
        st.tuples(st.just("sync")),
    ),
    min_size=4,
    max_size=24,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    listed=st.sampled_from(LISTED_BY_CHANGE),
    overlap=st.sampled_from([0, 60, HOUR, 50 * HOUR]),
    # JW Platform's clock is ahead of ours, almost the same (and passes ours during the test), or behind.
    ahead=st.sampled_from([3 * HOUR, -5, -10 * 24 * HOUR]),
    steps=steps,
)
def test_the_cache_follows_every_change(make_site, listed, overlap, ahead, steps):
    """An edit may appear in the index later than its stamp says. That delay is given as a fraction of the overlap."""
    site = make_site(*listed, now=time.time() + ahead)
    site.simulator.behaviour.unstable_ties = True
    site.library.replace_all([], [])
    empty(site.engine)
    for _ in range(5):
        site.put(stamp=site.now - 1000 * HOUR)
    lagging: list[tuple[float, str | None, float]] = []
    removed: list[str] = []
    unseen: set[str] = set()
    for step, *values in [*steps, ("wait", 1), ("sync",)]:
        keys = site.listed_keys()
        if step == "wait":
            site.now += values[0] * (overlap or 1)
        elif step == "edit" and keys:
            lagging.append((site.now + values[1] * overlap, keys[values[0] % len(keys)], site.now))
        elif step == "add":
            lagging.append((site.now + values[0] * overlap, None, site.now))
        elif step == "stamp from the future" and keys:
            site.put(keys[values[0] % len(keys)], stamp=FAR_FUTURE)
        # If one is removed and another appears with an old stamp, only a full listing can show it.
        elif step == "remove" and keys and "old" not in unseen:
            removed.append(keys[values[0] % len(keys)])
            site.library.remove(site.kind, removed[-1])
            unseen.add("removed")
        elif step == "add with an old stamp" and "removed" not in unseen:
            site.put(stamp=site.now - 500 * HOUR - values[0])
            unseen.add("old")
        elif step == "restore" and removed and "removed" not in unseen:
            site.library.restore(site.kind, removed.pop())
            unseen.add("old")
        elif step == "sync":
            for entry in [entry for entry in lagging if entry[0] <= site.now]:
                lagging.remove(entry)
                _, key, stamp = entry
                if key is None or key in site.listed_keys():
                    site.put(key, stamp=stamp)
            site.sync(timedelta(seconds=overlap))
            site.assert_in_step()
            unseen.clear()


@pytest.mark.parametrize(("api", "kind"), LISTED_BY_CHANGE)
def test_a_sync_without_changes_makes_at_most_two_requests_and_writes_nothing(make_site, api, kind):
    site = make_site(api, kind)
    for number in range(40):
        site.put(stamp=site.now - 48 * HOUR - number)
    assert site.sync().scope == "full"
    site.assert_in_step()
    site.put(site.listed_keys()[5])
    assert site.sync().scope == "incremental"
    assert (site.applied.plan.changed, site.applied.plan.deleted) == (1, 0)
    before = touched(site.engine)
    listing = site.sync()
    # The changes and a probe; v2 lists the playlists that changed last first, which shows what a probe would.
    requests = 1 if (api, kind) == ("v2", "channel") else 2
    assert (listing.scope, listing.request_count, len(site.simulator.requests)) == ("incremental", requests, requests)
    assert site.applied.plan.rows == 0
    assert touched(site.engine) == before


@pytest.mark.parametrize(("api", "kind"), LISTED_BY_CHANGE)
def test_an_edit_that_appears_later_than_its_stamp_is_read(make_site, api, kind):
    site = make_site(api, kind)
    for _ in range(9):
        site.put(stamp=site.now - 1000 * HOUR)
    site.sync()
    late, *others = site.listed_keys()
    edited = site.now
    # This is more than the day to which v2 rounds down, and the other edits are enough to fill the pages before it.
    site.now += 50 * HOUR
    for key in others:
        site.put(key)
    site.sync()
    site.put(late, stamp=edited)
    assert site.sync(timedelta(hours=50)).scope == "incremental"
    site.assert_in_step()


def test_v1_channels_have_no_stamp_and_are_listed_in_full(make_site):
    site = make_site("v1", "channel")
    site.put()
    for _ in range(2):
        site.put(site.listed_keys()[0])
        assert site.sync().scope == "full"
        site.assert_in_step()


def test_a_deletion_leads_to_a_full_listing_and_is_confirmed(make_site, api):
    site = make_site(api)
    kept, gone = site.put(), site.put()
    site.sync()
    site.library.remove("video", gone)
    assert site.sync().scope == "full"
    assert "show" in {request.route for request in site.simulator.requests}, "JWP was not asked a second time"
    assert live(site.engine) == {kept}


def test_a_site_larger_than_the_window_is_not_listed_in_full_every_time(make_site, monkeypatch):
    """Otherwise a site with more than 10,000 videos would be listed in full every quarter of an hour."""
    site = make_site("v2")
    monkeypatch.setattr(v2, "WINDOW", 12)
    site.simulator.behaviour.window = 12
    site.simulator.behaviour.total_is_capped = True
    for _ in range(30):
        site.put(stamp=site.now - 48 * HOUR)
    assert site.sync().scope == "full"
    site.put(site.listed_keys()[7])
    site.put()
    assert site.sync().scope == "incremental"
    site.assert_in_step()
    site.library.remove("video", *site.listed_keys()[11:])
    # Below the number at which JWP stops counting, the total shows the removal again.
    assert site.sync().scope == "full"
    site.assert_in_step()


def test_more_changes_than_the_window_are_all_read(make_site, monkeypatch):
    site = make_site("v2")
    monkeypatch.setattr(v2, "WINDOW", 12)
    site.simulator.behaviour.window = 12
    for _ in range(30):
        site.put()
    site.sync()
    for key in site.listed_keys():
        site.put(key)
    site.put()
    site.sync()
    site.assert_in_step()


@pytest.mark.parametrize(
    "fault",
    [
        Fault.short_page(),
        Fault.empty_page(),
        Fault.repeated_page(),
        # This is the answer if the site interprets the condition differently than we do.
        Fault("matches nothing", bend=lambda page: page.elements.clear() or page.envelope.update(total=0)),
    ],
    ids=lambda fault: fault.name,
)
@pytest.mark.parametrize(("api", "kind"), LISTED_BY_CHANGE)
def test_a_faulty_list_of_changes_hides_no_change(make_site, api, kind, fault):
    site = make_site(api, kind)
    for _ in range(7):
        site.put(stamp=site.now - 48 * HOUR)
    site.sync()
    # The stamps are equal, so that those which are still listed show nothing of the hidden ones. Two of them, together
    # with the one before, fill a page.
    for changed in (5, 2):
        site.now += 48 * HOUR
        site.put(site.listed_keys()[-1])
        site.sync()
        site.now += 48 * HOUR
        for key in site.listed_keys()[:changed]:
            site.put(key)
        site.simulator.faults.add(fault, route="list", page=2 if fault.name == "repeated page" else 1)
        site.sync()
        site.assert_in_step()
        site.simulator.faults.clear()


def test_a_change_while_changes_are_paged_hides_no_other(make_site, api):
    """The first video changes again and moves to the end, so the fourth takes the third place, already read."""
    site = make_site(api)
    for number in range(8):
        site.put(stamp=site.now - 48 * HOUR - number)
    site.sync()
    for key in site.listed_keys():
        site.now += 1
        site.put(key)
    site.now += 1
    site.simulator.faults.add(Fault.edit(lambda library: site.put(site.listed_keys()[0])), route="list", page=1)
    site.sync()
    site.assert_in_step()


def test_an_incomplete_listing_does_not_move_the_watermark(make_site, api):
    """The listing has the newer of two edits and misses the older one, which the next sync must still read."""
    site = make_site(api)
    missed, seen = [site.put(stamp=site.now - 72 * HOUR) for _ in range(2)][::-1]
    site.sync()
    site.put(missed)
    site.now += 48 * HOUR
    site.put(seen)
    site.simulator.faults.add(Fault.short_page(), route="list", times=None)
    listing, _ = sync(site.engine, site.client)
    assert listing.status == "incomplete"
    site.simulator.faults.clear()
    site.sync()
    site.assert_in_step()


def test_the_watermark_is_no_later_than_the_newest_plausible_stamp(make_site, api):
    """JW Platform's clock is ten days behind ours here, so a watermark by our own time would hide its changes, too."""
    site = make_site(api)
    site.put(site.put(), stamp=FAR_FUTURE)
    newest = int(site.now)
    site.put()
    site.sync()
    assert site.watermark() == datetime.fromtimestamp(newest, UTC)
    site.now += 5 * HOUR
    site.put(site.listed_keys()[-1])
    assert site.sync(timedelta(0)).scope == "incremental"
    site.assert_in_step()


def test_an_overlap_beyond_the_calendar_is_no_error(make_site, api):
    site = make_site(api)
    for stamp in (0, 1):
        site.put(stamp=stamp)
    for _ in range(2):
        site.sync(timedelta.max)
        site.assert_in_step()
    assert site.sync(timedelta(0)).scope == "incremental"


def test_elements_that_the_cache_cannot_hold_do_not_force_full_listings(make_site, api):
    """JW Platform's total includes an element without a key and a key listed twice, but our rows never do."""
    site = make_site(api)
    for age in (400, 400, 48, 48):
        site.put(stamp=site.now - age * HOUR)
    site.library.append("video", None)
    site.library.append("video", site.library.get("video", site.listed_keys()[0]), api=api)
    site.sync()
    site.put(site.listed_keys()[1])
    assert site.sync().scope == "incremental"
    assert len(live(site.engine)) == 4


def test_a_failed_read_is_recorded(make_site, api):
    """`jwpfetch --status` shows it, even if only the probe failed."""
    site = make_site(api)
    site.put()
    site.sync()
    site.simulator.faults.add(Fault.status(503), route="list", nth=2, times=None)
    with pytest.raises(MalformedAnswer):
        site.sync()
    ((scope, status, applied),) = rows(
        site.engine, "SELECT scope, status, applied_at FROM raw_snapshots ORDER BY id DESC LIMIT 1"
    )
    assert (scope, status, applied) == ("incremental", "failed", None)
