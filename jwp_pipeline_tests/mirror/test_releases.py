"""A release deletes nothing that the newest verified listing contains, however many reads came after that listing."""

import pytest
from sqlalchemy import text

from jwp_pipeline.errors import NothingToRelease
from jwp_pipeline.mirror import snapshots
from jwp_pipeline.mirror.apply import Release, apply_newest
from jwp_pipeline.mirror.landing import read_listing
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline_tests.support import jwplatform, live, sync, sync_changes, video

OLD, RECENT = 1_700_000_000, 1_760_000_000
FIRST = [f"v{number:04}" for number in range(8)]
OTHERS = [f"v{number:04}" for number in range(10, 18)]
NEW = [f"new{number:05}" for number in range(10)]


@pytest.fixture
def client(engine, simulator, api):
    """A client of a cached site with 21 videos."""
    old = [video(f"v{number:04}", updated=OLD) for number in range(20)]
    simulator.library.replace_all([*old, video("recent", updated=RECENT)], [])
    with jwplatform(simulator, api) as client:
        sync(engine, client)
        yield client


@pytest.fixture
def withheld(engine, simulator, client):
    """A snapshot that withholds FIRST. The newest complete listing, which is refused, contains them again."""
    library = simulator.library
    library.hide("video", *FIRST)
    _, applied = sync(engine, client)
    assert applied.verdict.withheld
    library.unhide("video")
    library.hide("video", *OTHERS)
    for key in NEW:
        library.put("video", video(key, updated=RECENT))
    _, refused = sync(engine, client)
    assert refused.refused
    library.remove("video", *NEW)
    library.unhide("video")
    library.hide("video", *FIRST)
    return applied.snapshot_id


def release(engine, snapshot_id):
    released = Release(snapshot_id, "somebody@here")
    return apply_newest(engine, "video", options=MirrorOptions(), client=None, release=released)


def test_what_the_newest_complete_listing_contains_stays_after_its_pages_are_old(engine, client, withheld):
    listing, applied = sync_changes(engine, client)
    assert (listing.scope, listing.verified, applied.refused) == ("incremental", True, False)
    assert release(engine, withheld).plan.deleted == 0
    assert live(engine) >= set(FIRST)


def test_what_it_contains_stays_after_many_reads_that_were_not_applied(engine, simulator, client, withheld):
    with engine.begin() as connection:
        newest = connection.scalar(text("SELECT max(id) FROM raw_snapshots WHERE complete"))
        for _ in range(2 * snapshots.UNAPPLIED_KEPT):
            unapplied = snapshots.open_snapshot(connection, "video", "v2", scope="incremental")
            snapshots.close_snapshot(connection, unapplied, "quarantined", "for a test")
        assert connection.scalar(text("SELECT count(*) FROM raw_pages WHERE snapshot_id = :id"), {"id": newest})
    assert release(engine, withheld).plan.deleted == 0


def test_nothing_is_released_if_the_pages_of_the_newest_complete_listing_are_gone(engine, client, withheld):
    """Earlier versions dropped them."""
    with engine.begin() as connection:
        connection.execute(
            text("DELETE FROM raw_pages WHERE snapshot_id = (SELECT max(id) FROM raw_snapshots WHERE complete)")
        )
    with pytest.raises(NothingToRelease, match="the newest complete listing, are gone"):
        release(engine, withheld)
    assert live(engine) >= set(FIRST)
    read_listing(engine, client, "video")
    assert release(engine, withheld).plan.deleted == len(FIRST)
