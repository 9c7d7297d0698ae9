"""The guard: what it refuses changes nothing, stays refused, is released once, and is forgotten by a good listing."""

import pytest
from sqlalchemy import text

from jwp_pipeline.database.connection import WRITER_LOCK, advisory_lock
from jwp_pipeline.errors import NothingToRelease, SnapshotQuarantined, SyncInProgress
from jwp_pipeline.mirror import apply as applying
from jwp_pipeline.mirror import snapshots
from jwp_pipeline.mirror.apply import Release, apply_newest
from jwp_pipeline.mirror.landing import read_listing
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline.simulator import Fault
from jwp_pipeline_tests.support import cache, jwplatform, live, rows, sync, video, videos


@pytest.fixture
def client(simulator):
    """A client of a site of 20 videos that are cached already, and 10 channels that are not."""
    simulator.library.replace_all(videos(*range(20)), [{"key": f"c{n}", "type": "manual"} for n in range(10)])
    with jwplatform(simulator) as client:
        yield client


@pytest.fixture(autouse=True)
def cached(engine, client):
    sync(engine, client)


def remove(simulator, count, kind="video"):
    simulator.library.remove(kind, *simulator.library.keys(kind)[:count])


def everything(engine):
    """All that a refused snapshot must leave as it is."""
    return cache(engine), rows(engine, "SELECT * FROM resource_changes"), rows(engine, "SELECT * FROM sync_problems")


def refused(engine, client, **options):
    """The refused snapshot's row, after it was seen to change nothing, twice: no setting lets it pass later."""
    before = everything(engine)
    with pytest.raises(SnapshotQuarantined) as first:
        sync(engine, client, **options)
    asked = client.stats.requests
    with pytest.raises(SnapshotQuarantined) as again:
        apply_newest(engine, "video", options=MirrorOptions(max_delete_ratio=1, max_change_ratio=1), client=client)
    assert (str(again.value), client.stats.requests) == (str(first.value), asked)
    assert everything(engine) == before
    snapshot = rows(engine, "SELECT * FROM raw_snapshots ORDER BY id DESC")[0]
    assert (snapshot.id, snapshot.status, snapshot.applied_at) == (first.value.snapshot_id, "quarantined", None)
    assert snapshot.problem in str(first.value)
    assert f"jwpfetch --release {snapshot.id}" in str(first.value)
    return snapshot


def apply(engine, client=None, **options):
    return apply_newest(engine, "video", options=MirrorOptions(**options), client=client)


def release(engine, snapshot_id):
    return apply_newest(
        engine, "video", options=MirrorOptions(), client=None, release=Release(snapshot_id, "somebody@here")
    )


def test_deletions_beyond_the_ratio_are_refused(engine, simulator, client):
    simulator.library.put("video", video("new"))
    remove(simulator, 7)
    snapshot = refused(engine, client)
    assert snapshot.problem == "it would delete 7 of 20 live videos (35%), more than JWP_MAX_DELETE_RATIO=0.3 allows"


def test_changes_beyond_the_ratio_are_refused(engine, simulator, client):
    for key in simulator.library.keys("video")[:5]:
        simulator.library.edit("video", key, title="Changed")
    snapshot = refused(engine, client, max_change_ratio=0.2)
    assert snapshot.problem == "it would change 5 of 20 live videos (25%), more than JWP_MAX_CHANGE_RATIO=0.2 allows"


def test_up_to_the_ratio_it_goes_through(engine, simulator, client):
    remove(simulator, 6)
    for key in simulator.library.keys("video")[:4]:
        simulator.library.edit("video", key, title="Changed")
    _, applied = sync(engine, client, max_change_ratio=0.2)
    assert (applied.plan.deleted, applied.plan.changed) == (6, 4)


def test_few_live_rows_are_not_guarded(engine, simulator, client):
    remove(simulator, 20)
    with pytest.raises(SnapshotQuarantined):
        sync(engine, client, guard_min_rows=20)
    _, applied = sync(engine, client, guard_min_rows=21)
    assert applied.plan.deleted == 20


def test_a_library_that_seems_empty_is_refused(engine, simulator, client):
    # Few enough to be asked for one by one: JWP says that they are gone indeed.
    remove(simulator, 20)
    assert "20 of 20" in refused(engine, client).problem


def test_a_good_listing_after_a_refused_one_simply_works(engine, simulator, client):
    stale = simulator.library.keys("video")[:2]
    remove(simulator, 20)
    refused(engine, client)
    simulator.library.restore("video", *simulator.library.removed_keys("video"))
    simulator.library.remove("video", *stale)
    listing, applied = sync(engine, client)
    # What really went is not kept for ever because of the refusal.
    assert applied.plan.deleted == 2
    assert live(engine) == set(simulator.library.keys("video"))
    assert apply(engine, client).plan is None
    with pytest.raises(NothingToRelease, match="out of date"):
        release(engine, listing.snapshot_id - 1)


def test_a_released_snapshot_is_applied_once(engine, simulator, client):
    remove(simulator, 10)
    snapshot = refused(engine, client)
    applied = release(engine, snapshot.id)
    assert (applied.plan.snapshot_id, applied.plan.deleted, len(live(engine))) == (snapshot.id, 10, 10)
    released = rows(engine, "SELECT * FROM raw_snapshots WHERE id = :id", id=snapshot.id)[0]
    assert (released.status, released.released_by) == ("verified", "somebody@here")
    assert released.released_at
    assert released.applied_at
    with pytest.raises(NothingToRelease, match="is verified, not quarantined"):
        release(engine, snapshot.id)
    # The next one is measured as ever.
    remove(simulator, 5)
    assert "5 of 10" in refused(engine, client).problem


def test_a_release_is_for_that_snapshot_only(engine, simulator, client):
    remove(simulator, 10)
    first = refused(engine, client)
    remove(simulator, 5)
    second = refused(engine, client)
    assert release(engine, first.id).plan.snapshot_id == first.id
    assert len(live(engine)) == 10
    with pytest.raises(SnapshotQuarantined, match=str(second.id)):
        apply(engine)
    # What JWP confirmed of the second it confirmed before the first brought rows back that the second lacks.
    with pytest.raises(NothingToRelease, match="out of date"):
        release(engine, second.id)


def test_a_release_that_comes_to_nothing_leaves_nothing_armed(engine, simulator, client, monkeypatch):
    """Else the next sync would apply it, past the guard, though a good listing is at hand."""
    remove(simulator, 10)
    snapshot = refused(engine, client)
    monkeypatch.setattr(applying, "_LOCK_PATIENCE", 0)
    with engine.connect() as other, advisory_lock(other, WRITER_LOCK, patience=0), pytest.raises(SyncInProgress):
        release(engine, snapshot.id)
    simulator.library.restore("video", *simulator.library.removed_keys("video"))
    _, applied = sync(engine, client)
    assert (applied.plan.snapshot_id > snapshot.id, applied.plan.deleted, len(live(engine))) == (True, 0, 20)


def test_what_is_refused_again_and_again_does_not_fill_the_disk(engine, simulator, client):
    remove(simulator, 10)
    first = refused(engine, client)
    for _ in range(5):
        last = refused(engine, client)
    kept = rows(
        engine,
        "SELECT DISTINCT snapshot_id FROM raw_pages JOIN raw_snapshots ON id = snapshot_id"
        " WHERE resource_type = 'video' AND applied_at IS NULL",
    )
    assert len(kept) <= 8
    with pytest.raises(NothingToRelease, match=f"pages of snapshot {first.id} are gone"):
        release(engine, first.id)
    assert release(engine, last.id).plan.deleted == 10


def test_pages_that_vanish_while_they_are_compared_delete_nothing(engine, simulator, client, monkeypatch):
    """Another process reads listing after listing meanwhile, and prunes the one that is being released."""
    remove(simulator, 10)
    snapshot = refused(engine, client)
    whole = snapshots.releasable

    def then_pruned(connection, snapshot_id):
        row = whole(connection, snapshot_id)
        with engine.begin() as other:
            other.execute(text("DELETE FROM raw_pages WHERE snapshot_id = :id"), {"id": snapshot_id})
        return row

    monkeypatch.setattr(snapshots, "releasable", then_pruned)
    with pytest.raises(NothingToRelease, match="are gone"):
        release(engine, snapshot.id)
    assert len(live(engine)) == 20


def test_a_refused_plan_can_be_looked_at(engine, simulator, client):
    remove(simulator, 10)
    with pytest.raises(SnapshotQuarantined) as caught:
        sync(engine, client)
    assert (caught.value.outcome.plan.deleted, caught.value.outcome.live) == (10, 20)
    assert "10 of 20" in caught.value.outcome.refusal


def test_a_release_spares_what_jwp_still_had(engine, simulator, client):
    # v0019 is there, but this listing, whose numbers agree, does not show it.
    remove(simulator, 8)
    simulator.faults.add(Fault.wrong_total(-1), route="list")
    simulator.faults.add(Fault.short_page(), route="list")
    snapshot = refused(engine, client)
    assert snapshot.spared_keys == ["v0019"]
    applied = release(engine, snapshot.id)
    assert (applied.plan.deleted, applied.plan.spared) == (8, 1)
    assert live(engine) == set(simulator.library.keys("video"))


@pytest.mark.parametrize("unknown", [4711, -1])
def test_only_what_was_refused_can_be_released(engine, unknown):
    with pytest.raises(NothingToRelease, match=f"no snapshot {unknown}"):
        release(engine, unknown)


def test_the_guard_looks_at_each_type_for_itself(engine, simulator, client):
    sync(engine, client, "channel")
    remove(simulator, 10)
    remove(simulator, 1, "channel")
    refused(engine, client)
    _, applied = sync(engine, client, "channel")
    assert applied.plan.deleted == 1
    assert (len(live(engine)), len(live(engine, "channel"))) == (20, 9)


def test_a_dry_run_says_what_the_guard_would_do_and_does_nothing(engine, simulator, client):
    remove(simulator, 10)
    read_listing(engine, client, "video")
    before = everything(engine), rows(engine, "SELECT * FROM raw_snapshots")
    for _ in range(2):
        looked = apply_newest(engine, "video", options=MirrorOptions(), client=client, dry_run=True)
        assert (looked.plan.deleted, looked.plan.head[0].change, looked.live) == (10, "deleted", 20)
        assert "JWP_MAX_DELETE_RATIO" in looked.refusal
    assert (everything(engine), rows(engine, "SELECT * FROM raw_snapshots")) == before
    with pytest.raises(SnapshotQuarantined):
        apply(engine, client)
    looked = apply_newest(engine, "video", options=MirrorOptions(), client=None, dry_run=True)
    assert (looked.plan.deleted, bool(looked.refusal)) == (10, True)
