"""A listing that fails, is wrong or changes while it is read deletes nothing live, and the next good one mends it."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jwp_pipeline.errors import JWPlatformError
from jwp_pipeline.mirror.apply import apply_newest
from jwp_pipeline.mirror.landing import ATTEMPTS, read_listing
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline.simulator import Fault
from jwp_pipeline_tests.support import cache, empty, jwplatform, live, rows, sync, video, videos

OPEN = {"max_delete_ratio": 1.0}
FOR_EVER = None


@pytest.fixture(autouse=True)
def twelve_videos(simulator):
    """Every test begins with a site with 12 videos."""
    simulator.library.replace_all(videos(*range(12)), [])


@pytest.fixture
def client(simulator, api):
    """A client of each API that reads five resources per page."""
    with jwplatform(simulator, api, page_length=5) as client:
        yield client


def snapshots(engine):
    return rows(engine, "SELECT * FROM raw_snapshots ORDER BY id")


# --- Drift ------------------------------------------------------------------------------------------------

edits = st.lists(
    st.tuples(
        st.integers(1, 8),  # the page after which the edit happens
        st.integers(1, 3),  # at which read of that page it happens, counted from 1
        st.sampled_from(["upload", "upload early", "remove", "remove", "edit", "restore"]),
        st.integers(0, 10_000),
    ),
    max_size=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    edits,
    st.sampled_from([0, 1, 2, 22]),
    st.booleans(),
    st.sampled_from([4, 5, 7, 11]),
    st.sampled_from(["v1", "v2"]),
)
def test_a_library_that_changes_while_it_is_read_loses_nothing(engine, simulator, edits, gone, unstable, page, api):
    empty(engine)
    simulator.faults.clear()
    simulator.behaviour.unstable_ties = False
    library = simulator.library
    # Half of the videos have the same date, so that their order is random if ties are unstable.
    library.replace_all([video(f"v{n:04}", date=1_000_000_000 + max(n, 15)) for n in range(30)], [])
    with jwplatform(simulator, api, page_length=page) as client:
        sync(engine, client, **OPEN)
        simulator.behaviour.unstable_ties = unstable
        library.remove("video", *library.keys("video")[:gone])
        always_there = set(library.keys("video"))
        for after_page, nth, what, number in edits:
            happening = Fault.edit(lambda lib, what=what, number=number: change(lib, what, number, always_there))
            simulator.faults.add(happening, route="list", page=after_page, nth=nth)
        sync(engine, client, **OPEN)
        assert live(engine) >= always_there
        simulator.faults.clear()
        simulator.behaviour.unstable_ties = False
        listing, _ = sync(engine, client, **OPEN)
    assert listing.verified
    assert live(engine) == set(library.keys("video"))
    title = "title" if api == "v1" else "metadata"
    shown_title = (lambda data: data[title]) if api == "v1" else (lambda data: data[title]["title"])
    cached = {key: shown_title(row.data) for key, row in cache(engine).items() if row.deleted_at is None}
    assert cached == {key: library.get("video", key)["title"] for key in library.keys("video")}


def change(library, what, number, always_there):
    present, removed = library.keys("video"), library.removed_keys("video")
    match what:
        case "upload":
            library.put("video", video(f"n{number:05}", date=2_000_000_000 + number))
        case "upload early":
            library.put("video", video(f"e{number:05}", date=number))
        case "remove" if present:
            key = present[number % len(present)]
            library.remove("video", key)
            always_there.discard(key)
        case "edit" if present:
            library.edit("video", present[number % len(present)], title=f"Edited {number}")
        case "restore" if removed:
            library.restore("video", removed[number % len(removed)])


def swap(removed, uploaded):
    """Make a fault that removes one video and adds another between two pages.

    The total stays the same, but the videos after the removed one move up by one place.
    """

    def edit(library):
        library.remove("video", removed)
        library.put("video", video(uploaded))

    return Fault.edit(edit)


def test_a_video_hidden_by_a_removal_and_an_upload_is_not_deleted(engine, simulator, client):
    sync(engine, client)
    simulator.faults.add(swap("v0002", "v0099"), route="list", page=1)
    listing, applied = sync(engine, client)
    # All numbers agree, but v0005 moved to the first page after that page was read.
    assert listing.verified
    assert "v0005" not in rows(engine, "SELECT keys FROM raw_pages ORDER BY snapshot_id DESC, page_number DESC")[0].keys
    assert (applied.plan.deleted, applied.plan.unconfirmed) == (0, 1)
    assert live(engine) == {*(f"v{n:04}" for n in range(12)), "v0099"}
    _, applied = sync(engine, client)
    assert live(engine) == set(simulator.library.keys("video"))
    assert (applied.plan.deleted, applied.plan.unconfirmed) == (1, 0)


def test_equal_dates_in_random_order_delete_nothing(engine, simulator, client):
    simulator.library.replace_all([video(f"v{n:04}", date=1_000_000_000) for n in range(60)], [])
    sync(engine, client)
    simulator.behaviour.unstable_ties = True
    simulator.library.remove("video", "v0000")
    simulator.library.edit("video", "v0001", title="Edited")
    listing, applied = sync(engine, client)
    assert (listing.status, listing.attempts, applied.plan.deleted) == ("incomplete", ATTEMPTS, 0)
    assert "listed more than once" in listing.problem
    assert len(live(engine)) == 60
    simulator.behaviour.unstable_ties = False
    listing, applied = sync(engine, client)
    assert (listing.status, applied.plan.deleted) == ("verified", 1)


# --- Faults -----------------------------------------------------------------------------------------------

INCOMPLETE = [
    (Fault.short_page(), 2, "page 2 is short"),
    (Fault.empty_page(), 1, "0 resources were listed of 12 announced"),
    (Fault.empty_page(), 2, "5 resources were listed of 12 announced"),
    (Fault.repeated_page(), 2, "page 2 repeats page 1"),
    (Fault.wrong_total(3), 1, "the total moved from 15 on page 1 to 12 on page 3"),
    (Fault.wrong_total(3), None, "12 resources were listed of 15 announced"),
    (Fault.wrong_total(-1), None, "12 resources were listed of 11 announced"),
]
FAILED = [
    (Fault.truncate(), 2, "cut in mid-answer"),
    (Fault.html_with_200(), 2, "should be JSON"),
    (Fault.error_with_200(), 2, "Listing .*page 2"),
    (Fault.status(403), 2, "JWPLATFORM_"),
    (Fault.status(500, "html"), 2, "HTTP 500"),
    (Fault.status(200, "empty"), 2, "nothing"),
    (Fault.drop(), 2, "connection"),
    (Fault.wrong_shape("array missing"), 2, "no list"),
    (Fault.wrong_shape("array null"), 2, "no list"),
    (Fault.wrong_shape("bare array"), 1, "no list"),
    (Fault.wrong_shape("total missing"), 1, "no total"),
]


def faulty_then_clean(engine, simulator, client, fault, page, faulty):
    """Sync a library that lost one video and gained another, first with the fault and then without it."""
    sync(engine, client)
    simulator.library.remove("video", "v0003")
    simulator.library.put("video", video("v0012"))
    simulator.faults.add(fault, route="list", page=page, times=FOR_EVER)
    faulty()
    assert live(engine) >= {f"v{n:04}" for n in range(12)}
    simulator.faults.clear()
    listing, applied = sync(engine, client)
    assert (listing.status, listing.attempts, applied.plan.deleted) == ("verified", 1, 1)
    assert live(engine) == set(simulator.library.keys("video"))


@pytest.mark.parametrize(("fault", "page", "problem"), INCOMPLETE, ids=lambda value: getattr(value, "name", None))
def test_an_incomplete_listing_may_add_but_not_delete(engine, simulator, client, fault, page, problem):
    def faulty():
        listing, applied = sync(engine, client)
        assert (listing.status, listing.attempts) == ("incomplete", ATTEMPTS)
        assert problem in listing.problem
        assert applied.plan.deleted == 0
        assert applied.listed is None

    faulty_then_clean(engine, simulator, client, fault, page, faulty)


@pytest.mark.parametrize(("fault", "page", "problem"), FAILED, ids=lambda value: getattr(value, "name", None))
def test_a_failed_listing_applies_nothing(engine, simulator, client, fault, page, problem):
    def faulty():
        before = cache(engine)
        with pytest.raises(JWPlatformError, match=problem):
            read_listing(engine, client, "video")
        failed = snapshots(engine)[-1]
        assert failed.status == "failed"
        assert failed.problem
        assert failed.finished_at
        assert rows(engine, "SELECT 1 FROM raw_pages WHERE snapshot_id = :id", id=failed.id) == []
        assert apply_newest(engine, "video", options=MirrorOptions(), client=client).plan is None
        assert cache(engine) == before

    faulty_then_clean(engine, simulator, client, fault, page, faulty)


@pytest.mark.parametrize(
    ("fault", "attempts"), [(Fault.short_page(), 2), (Fault.drop(), 1), (Fault.status(503), 1), (Fault.truncate(), 1)]
)
def test_a_temporary_fault_costs_one_more_request_or_read(engine, simulator, client, fault, attempts):
    simulator.faults.add(fault, route="list", page=2)
    listing, _ = sync(engine, client)
    assert (listing.status, listing.attempts, listing.resource_count) == ("verified", attempts, 12)
    assert listing.retry_count == (attempts == 1)
    assert listing.request_count == 3 + listing.retry_count


def test_reads_that_repeat_one_key_and_miss_different_ones_are_incomplete(engine, simulator, client):
    """Unstable ties can repeat the same key in every read, each time in place of a different resource."""
    sync(engine, client)
    keys = simulator.library.keys("video")
    for attempt in range(ATTEMPTS):

        def put(page, at=attempt + 1):
            page.elements[at] = page.elements[0]

        simulator.faults.add(Fault("a repeat in the place of another", bend=put), route="list", page=1, nth=attempt + 1)
    listing, applied = sync(engine, client)
    assert (listing.status, listing.attempts, listing.key_count) == ("incomplete", ATTEMPTS, len(keys) - 1)
    assert "more than once" in listing.problem
    assert (applied.plan.deleted, live(engine)) == (0, set(keys))


def test_a_listing_that_always_repeats_the_same_key_is_verified(engine, simulator, client):
    simulator.library.append("video", video("v0004", date=2_000_000_000, title="The last one wins"))
    listing, applied = sync(engine, client)
    assert (listing.status, listing.attempts, listing.resource_count, listing.key_count) == ("verified", 2, 13, 12)
    assert applied.plan.added == len(live(engine)) == 12
    assert "The last one wins" in str(cache(engine)["v0004"].data)
    simulator.library.remove("video", "v0011")
    _, applied = sync(engine, client)
    assert applied.plan.deleted == 1
