"""The guard withholds deletions above the ratio, and refuses a listing that looks like another library.

What it withholds or refuses can be released once, which deletes only what was shown. After a good listing no release is
needed.
"""

import pytest
from sqlalchemy import text

from jwp_pipeline.database.connection import WRITER_LOCK, advisory_lock
from jwp_pipeline.database.status import read_status
from jwp_pipeline.errors import NothingToRelease, SyncInProgress
from jwp_pipeline.mirror import apply as applying
from jwp_pipeline.mirror import releases
from jwp_pipeline.mirror.apply import Release, apply_newest
from jwp_pipeline.mirror.landing import read_listing
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline_tests.support import (
    cache,
    channel,
    contents,
    jwplatform,
    live,
    rows,
    sync,
    sync_changes,
    video,
    videos,
)


@pytest.fixture
def client(simulator):
    """A client of a site with 20 videos, which are in the cache, and 10 channels, which are not."""
    simulator.library.replace_all(videos(*range(20)), [channel(f"c{n}") for n in range(10)])
    with jwplatform(simulator) as client:
        yield client


@pytest.fixture(autouse=True)
def cached(engine, client):
    sync(engine, client)


def remove(simulator, count, kind="video"):
    simulator.library.remove(kind, *simulator.library.keys(kind)[:count])


def everything(engine):
    """Return everything that a refused snapshot must not change."""
    return contents(engine, "cached_resources", "resource_changes", "sync_problems")


def refused(engine, client, **options):
    """Sync a snapshot that the guard refuses, and return the result.

    Checks that the snapshot changes nothing, even if it is applied again with the guard switched off.
    """
    before = everything(engine)
    _, first = sync(engine, client, **options)
    assert first.refused
    requests = client.stats.requests
    again = apply(engine, client, max_delete_ratio=1, max_change_ratio=1)
    assert (again.verdict, again.snapshot_id) == (first.verdict, first.snapshot_id)
    assert client.stats.requests == requests
    assert everything(engine) == before
    snapshot = rows(engine, "SELECT * FROM raw_snapshots ORDER BY id DESC")[0]
    assert (snapshot.id, snapshot.status, snapshot.applied_at) == (first.snapshot_id, "quarantined", None)
    return first


def withheld(engine, client, **options):
    """Sync a snapshot whose deletions the guard withholds, check that nothing was deleted, and return the result."""
    before = live(engine)
    _, applied = sync(engine, client, **options)
    assert applied.verdict.withheld
    assert applied.plan.deleted == 0
    assert live(engine) >= before
    return applied


def apply(engine, client=None, **options):
    return apply_newest(engine, "video", options=MirrorOptions(**options), client=client)


def release(engine, snapshot_id, *, dry_run=False):
    options = MirrorOptions()
    by = Release(snapshot_id, "somebody@here")
    return apply_newest(engine, "video", options=options, client=None, release=by, dry_run=dry_run)


def status(engine):
    with engine.connect() as connection:
        return {status.resource_type: status for status in read_status(connection)}["video"]


def stored_sets(engine):
    """Return the snapshots whose withheld keys are stored."""
    return {row.id for row in rows(engine, "SELECT id FROM raw_snapshots WHERE withheld_keys IS NOT NULL")}


def test_deletions_above_the_ratio_are_withheld_and_the_rest_is_applied(engine, simulator, client):
    simulator.library.put("video", video("new"))
    simulator.library.edit("video", "v0019", title="Changed")
    remove(simulator, 7)
    simulator.forget_requests()
    applied = withheld(engine, client)
    assert applied.verdict.withheld == "it misses 7 of 20 live videos (35%), more than JWP_MAX_DELETE_RATIO=0.3 allows"
    assert (applied.plan.added, applied.plan.changed, applied.plan.missing) == (1, 1, 7)
    assert not [request for request in simulator.requests if request.route == "show"]
    assert cache(engine)["v0019"].data["title"] == "Changed"
    assert len(live(engine)) == 21
    now = status(engine)
    assert (now.withheld, now.unconfirmed, now.withheld_snapshot) == (7, 0, applied.snapshot_id)


def test_a_mass_deletion_does_not_happen_in_small_portions(engine, simulator, client):
    remove(simulator, 7)
    for _ in range(3):
        withheld(engine, client, confirm_requests=2)
    assert len(live(engine)) == 20


def test_changes_beyond_the_ratio_are_refused(engine, simulator, client):
    for key in simulator.library.keys("video")[:5]:
        simulator.library.edit("video", key, title="Changed")
    outcome = refused(engine, client, max_change_ratio=0.2)
    assert outcome.verdict.refusal == (
        "it changes 5 of 20 live videos (25%), more than JWP_MAX_CHANGE_RATIO=0.2 allows"
    )
    assert release(engine, outcome.snapshot_id).plan.changed == 5


def test_deletions_up_to_the_ratio_are_applied(engine, simulator, client):
    remove(simulator, 6)
    for key in simulator.library.keys("video")[:4]:
        simulator.library.edit("video", key, title="Changed")
    _, applied = sync(engine, client, max_change_ratio=0.2)
    assert (applied.plan.deleted, applied.plan.changed) == (6, 4)


def test_few_live_rows_are_not_guarded(engine, simulator, client):
    remove(simulator, 20)
    assert sync(engine, client, guard_min_rows=20)[1].refused
    _, applied = sync(engine, client, guard_min_rows=21)
    assert applied.plan.deleted == 20


@pytest.mark.parametrize("ratio", [0.3, 1.0])
def test_an_empty_listing_is_refused_with_any_ratio(engine, simulator, client, ratio):
    remove(simulator, 20)
    outcome = refused(engine, client, max_delete_ratio=ratio)
    assert outcome.verdict.refusal == "it is empty, while 20 videos are live"
    assert (outcome.plan.missing, outcome.live) == (20, 20)


def test_a_listing_that_looks_like_another_library_is_refused_whole(engine, simulator, client):
    remove(simulator, 20)
    for new in videos(*range(100, 106)):
        simulator.library.put("video", new)
    assert "adds 6 new ones: it looks like another library" in refused(engine, client).verdict.refusal
    # Any library may gain fewer new videos than that, so then only the deletions are withheld.
    simulator.library.remove("video", "v0105")
    assert withheld(engine, client).plan.added == 5


def test_a_good_listing_after_a_refused_one_is_applied(engine, simulator, client):
    stale = simulator.library.keys("video")[:2]
    remove(simulator, 20)
    refused(engine, client)
    simulator.library.restore("video", *simulator.library.removed_keys("video"))
    simulator.library.remove("video", *stale)
    _, applied = sync(engine, client)
    # Videos that are really gone are deleted in spite of the earlier refusal.
    assert applied.plan.deleted == 2
    assert live(engine) == set(simulator.library.keys("video"))
    assert apply(engine, client).plan is None


def test_a_good_listing_after_withheld_deletions_is_applied(engine, simulator, client):
    removed = simulator.library.keys("video")[:7]
    remove(simulator, 7)
    withheld(engine, client)
    simulator.library.restore("video", *removed[:4])
    _, applied = sync(engine, client)
    assert (applied.verdict.may_delete, applied.plan.deleted) == (True, 3)
    assert live(engine) == set(simulator.library.keys("video"))
    assert (status(engine).withheld, status(engine).withheld_snapshot) == (0, None)


def test_a_refused_snapshot_can_be_released_only_once_and_as_a_whole(engine, simulator, client):
    remove(simulator, 20)
    simulator.library.put("video", video("new"))
    simulator.library.remove("video", "new")
    outcome = refused(engine, client)
    looked = release(engine, outcome.snapshot_id, dry_run=True)
    assert (looked.plan.deleted, len(live(engine))) == (20, 20)
    applied = release(engine, outcome.snapshot_id)
    assert (applied.plan.snapshot_id, applied.plan.deleted, len(live(engine))) == (outcome.snapshot_id, 20, 0)
    released = rows(engine, "SELECT * FROM raw_snapshots WHERE id = :id", id=outcome.snapshot_id)[0]
    assert (released.status, released.released_by) == ("verified", "somebody@here")
    assert released.released_at
    assert released.applied_at
    with pytest.raises(NothingToRelease, match=r"released already.*somebody@here"):
        release(engine, outcome.snapshot_id)


def test_a_release_deletes_only_what_was_withheld(engine, simulator, client):
    first = set(simulator.library.keys("video")[:7])
    remove(simulator, 7)
    outcome = withheld(engine, client)
    # Since then, more videos were removed, one is listed again, and a later snapshot was applied.
    simulator.library.remove("video", "v0018", "v0019")
    simulator.library.restore("video", "v0000")
    withheld(engine, client)
    applied = release(engine, outcome.snapshot_id)
    assert applied.plan.deleted == 6
    assert {key for key, row in cache(engine).items() if row.deleted_at} == first - {"v0000"}
    logged = rows(engine, "SELECT key FROM resource_changes WHERE change = 'deleted'")
    assert len(logged) == 6
    # The guard judges the remaining deletions again, and they are confirmed key by key.
    _, after = sync(engine, client)
    assert (after.verdict.may_delete, after.plan.deleted) == (True, 2)


def test_a_release_does_not_delete_a_video_that_a_later_read_of_changes_lists(engine, simulator, client):
    remove(simulator, 8)
    outcome = withheld(engine, client)
    simulator.library.put("video", video("v0000", updated=2_000_000_000))
    listing, _ = sync_changes(engine, client)
    assert listing.scope == "incremental"
    assert release(engine, outcome.snapshot_id).plan.deleted == 7
    assert live(engine) == set(simulator.library.keys("video"))


def test_a_release_does_not_delete_videos_that_a_later_refused_listing_has(engine, simulator, client):
    remove(simulator, 7)
    outcome = withheld(engine, client)
    simulator.library.restore("video", *simulator.library.removed_keys("video"))
    for key in simulator.library.keys("video"):
        simulator.library.edit("video", key, title="Changed")
    assert sync(engine, client, max_change_ratio=0.2)[1].refused
    assert release(engine, outcome.snapshot_id).plan.deleted == 0
    assert len(live(engine)) == 20


def test_a_refused_snapshot_older_than_the_applied_one_releases_only_its_deletions(engine, simulator, client):
    remove(simulator, 20)
    simulator.library.remove("video", *simulator.library.keys("video"))
    outcome = refused(engine, client)
    simulator.library.restore("video", *simulator.library.removed_keys("video")[:5])
    simulator.library.put("video", video("new"))
    withheld(engine, client)
    applied = release(engine, outcome.snapshot_id)
    assert (applied.plan.deleted, applied.plan.added) == (15, 0)
    assert live(engine) == set(simulator.library.keys("video"))


def test_withheld_deletions_keep_their_snapshot_until_there_are_new_ones(engine, simulator, client):
    removed = simulator.library.keys("video")[:8]
    remove(simulator, 8)
    first = withheld(engine, client)
    simulator.library.restore("video", removed[0])
    assert withheld(engine, client).snapshot_id == first.snapshot_id
    simulator.library.remove("video", "v0019")
    assert withheld(engine, client).snapshot_id > first.snapshot_id


def test_a_release_that_fails_has_no_later_effect(engine, simulator, client, monkeypatch):
    """Otherwise the next sync would apply it without the guard, although there is a good listing."""
    remove(simulator, 10)
    outcome = withheld(engine, client)
    monkeypatch.setattr(applying, "_LOCK_PATIENCE", 0)
    with engine.connect() as other, advisory_lock(other, WRITER_LOCK, patience=0), pytest.raises(SyncInProgress):
        release(engine, outcome.snapshot_id)
    simulator.library.restore("video", *simulator.library.removed_keys("video"))
    _, applied = sync(engine, client)
    assert (applied.plan.deleted, applied.missing, len(live(engine))) == (0, 0, 20)


def test_repeated_refusals_do_not_fill_the_disk(engine, simulator, client):
    remove(simulator, 20)
    first = refused(engine, client)
    for _ in range(5):
        last = refused(engine, client)
    kept = rows(
        engine,
        "SELECT DISTINCT snapshot_id FROM raw_pages JOIN raw_snapshots ON id = snapshot_id"
        " WHERE resource_type = 'video' AND applied_at IS NULL",
    )
    assert len(kept) <= 4
    with pytest.raises(NothingToRelease, match=f"pages of snapshot {first.snapshot_id} are gone"):
        release(engine, first.snapshot_id)
    assert release(engine, last.snapshot_id).plan.deleted == 20


def test_sets_of_withheld_keys_do_not_fill_the_disk(engine, simulator, client):
    remove(simulator, 8)
    for number in range(8, 14):
        withheld(engine, client)
        simulator.library.remove("video", f"v{number:04}")
    assert 1 <= len(stored_sets(engine)) <= 4


def test_sets_of_refused_deletions_do_not_fill_the_disk_while_nothing_is_applied(engine, simulator, client):
    remove(simulator, 20)
    outcomes = [refused(engine, client) for _ in range(6)]
    kept = stored_sets(engine)
    assert len(kept) <= 4
    assert outcomes[-1].snapshot_id in kept


def test_a_withheld_set_is_kept_until_it_is_released_or_replaced(engine, simulator, client):
    """Otherwise nothing would say that deletions are withheld, because later ones belong to the first set."""
    remove(simulator, 8)
    first = withheld(engine, client)
    present = simulator.library.keys("video")
    simulator.library.remove("video", *present)
    for _ in range(5):
        refused(engine, client)
    simulator.library.restore("video", *present)
    assert withheld(engine, client).snapshot_id == first.snapshot_id
    now = status(engine)
    assert (now.withheld, now.withheld_snapshot) == (8, first.snapshot_id)
    assert release(engine, first.snapshot_id).plan.deleted == 8


def test_pages_that_vanish_while_they_are_compared_delete_nothing(engine, simulator, client, monkeypatch):
    """While a snapshot is being released, another process reads listing after listing, and prunes that snapshot."""
    remove(simulator, 20)
    outcome = refused(engine, client)
    whole = releases.releasable

    def then_pruned(connection, snapshot_id):
        found = whole(connection, snapshot_id)
        with engine.begin() as other:
            other.execute(text("DELETE FROM raw_pages WHERE snapshot_id = :id"), {"id": snapshot_id})
        return found

    monkeypatch.setattr(releases, "releasable", then_pruned)
    # An empty listing has one page.
    with pytest.raises(NothingToRelease, match="are gone"):
        release(engine, outcome.snapshot_id)
    assert len(live(engine)) == 20


@pytest.mark.parametrize("unknown", [4711, -1])
def test_only_withheld_or_refused_snapshots_can_be_released(engine, unknown):
    with pytest.raises(NothingToRelease, match=f"no snapshot {unknown}"):
        release(engine, unknown)
    (applied,) = rows(engine, "SELECT id FROM raw_snapshots WHERE resource_type = 'video'")
    with pytest.raises(NothingToRelease, match="is verified and withholds nothing"):
        release(engine, applied.id)


def test_the_guard_judges_each_type_separately(engine, simulator, client):
    sync(engine, client, "channel")
    remove(simulator, 10)
    remove(simulator, 1, "channel")
    withheld(engine, client)
    _, applied = sync(engine, client, "channel")
    assert applied.plan.deleted == 1
    assert (len(live(engine)), len(live(engine, "channel"))) == (20, 9)


@pytest.mark.parametrize("count", [10, 20])
def test_a_dry_run_says_what_the_guard_would_do_and_does_nothing(engine, simulator, client, count):
    remove(simulator, count)
    read_listing(engine, client, "video")
    before = everything(engine), contents(engine, "raw_snapshots")
    for _ in range(2):
        looked = apply_newest(engine, "video", options=MirrorOptions(), client=client, dry_run=True)
        assert (looked.plan.missing, looked.plan.head[0].change, looked.live) == (count, "missing", 20)
        assert bool(looked.verdict.refusal) == (count == 20)
        assert bool(looked.verdict.withheld) == (count == 10)
    assert (everything(engine), contents(engine, "raw_snapshots")) == before


def test_an_empty_type_is_not_refused_for_being_empty(engine, simulator, client):
    simulator.library.replace_all(videos(*range(20)), [])
    _, applied = sync(engine, client, "channel", guard_min_rows=0)
    assert not applied.refused
