"""Single keys are looked at, and the cache follows them, without anything else being touched (semantics §12)."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jwp_pipeline.mirror import looks, snapshots
from jwp_pipeline.mirror.apply import Release, apply_newest
from jwp_pipeline.mirror.landing import read_listing
from jwp_pipeline.mirror.looks import MOST_KEYS, read_keys
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline.simulator import Fault, RawJson
from jwp_pipeline_tests.support import cache, jwplatform, live, rows, sync, sync_changes, touched, video, videos

RUN = "a run"


@pytest.fixture
def library(simulator):
    simulator.library.replace_all(videos(*range(100)), [])
    return simulator.library


@pytest.fixture
def client(simulator, library):
    with jwplatform(simulator, "v2") as client:
        yield client


@pytest.fixture(autouse=True)
def cached(engine, simulator, client):
    """Every test begins with a cache that is in step with the site."""
    sync(engine, client)
    simulator.forget_requests()


def read(engine, client, *keys, run=RUN):
    return read_keys(engine, client, "video", keys, overlap=timedelta(hours=1), run_id=run)


def apply(engine, client, *, run=RUN, also=lambda connection, snapshot_id: None, **options):
    return apply_newest(engine, "video", options=MirrorOptions(**options), client=client, run_id=run, also=also)


def look(engine, client, *keys, **options):
    """Look at these keys and apply the answers. Returns (Listing, Applied)."""
    return read(engine, client, *keys), apply(engine, client, **options)


def statuses(simulator, *routes):
    found = [request.status for request in simulator.requests if not routes or request.route in routes]
    simulator.forget_requests()
    return found


def title(engine, key):
    return cache(engine)[key].data["metadata"]["title"]


def missing(engine):
    return {key for key, row in cache(engine).items() if row.missing_since}


def test_a_look_follows_what_happened_to_its_keys_and_touches_no_other_row(engine, simulator, library, client):
    library.remove("video", "v0003")
    sync(engine, client)
    library.restore("video", "v0003")
    library.edit("video", "v0001", title="Changed")
    library.edit("video", "v0009", title="Changed, but no key to look at")
    library.remove("video", "v0002")
    library.put("video", video("new00001"))
    before = touched(engine)
    simulator.forget_requests()
    listing, applied = look(engine, client, "v0001", "v0002", "v0003", "v0004", "new00001", "never001")
    assert (listing.scope, listing.status, listing.key_count) == ("keys", "verified", 4)
    plan = applied.plan
    assert (plan.added, plan.changed, plan.restored, plan.deleted, plan.unchanged) == (1, 1, 1, 1, 1)
    # One request for each key, a second 404 for the deletion, and a 200 that shows that 404s mean something.
    assert sorted(statuses(simulator)) == [200, 200, 200, 200, 200, 404, 404, 404]
    assert title(engine, "v0001") == "Changed"
    assert title(engine, "v0009") != "Changed, but no key to look at"
    assert live(engine) == set(library.keys("video"))
    after = touched(engine)
    moved = {key for _, key in {*before, *after} if before.get(("video", key)) != after.get(("video", key))}
    assert moved == {"v0001", "v0002", "v0003", "new00001"}
    logged = rows(engine, "SELECT change, key FROM resource_changes WHERE snapshot_id = :id", id=listing.snapshot_id)
    assert {(row.change, row.key) for row in logged} == {
        ("added", "new00001"),
        ("changed", "v0001"),
        ("deleted", "v0002"),
        ("restored", "v0003"),
    }


def test_a_site_that_answers_404_to_everything_loses_nothing(engine, simulator, library, client):
    """A 404 counts only if a listed key was found on the same route."""
    planned = simulator.faults.add(Fault.status(404), route="show", times=None)
    _, applied = look(engine, client, "v0001", "v0002")
    assert planned.hits > 2
    assert (applied.plan.deleted, applied.plan.missing) == (0, 2)
    assert "its 404s prove nothing" in applied.plan.asking_stopped
    assert len(live(engine)) == 100
    assert missing(engine) == {"v0001", "v0002"}
    simulator.faults.clear()
    sync(engine, client)
    assert missing(engine) == set()


def test_without_any_listed_key_to_compare_with_nothing_is_deleted(engine, library, client):
    library.replace_all(videos(0), [])
    sync(engine, client, max_delete_ratio=1, confirm_requests=100)
    assert live(engine) == {"v0000"}
    library.remove("video", "v0000")
    _, applied = look(engine, client, "v0000")
    assert (applied.plan.deleted, missing(engine), live(engine)) == (0, {"v0000"}, {"v0000"})


def test_the_guard_counts_what_looks_miss(engine, library, client):
    gone = library.keys("video")[:11]
    library.remove("video", *gone)
    for key in gone:
        _, applied = look(engine, client, key, max_delete_ratio=0.1)
    # Each deletion alone is far below the threshold, and so is each of the next frequent syncs.
    assert "after 10 were deleted since the last complete listing" in applied.verdict.withheld
    assert (len(live(engine)), missing(engine)) == (90, {"v0010"})
    frequent, judged = sync_changes(engine, client, max_delete_ratio=0.1)
    assert (frequent.scope, bool(judged.verdict.withheld), len(live(engine))) == ("incremental", True, 90)
    released = apply_newest(
        engine, "video", options=MirrorOptions(), client=None, release=Release(applied.snapshot_id, "a person")
    )
    assert (released.plan.deleted, live(engine)) == (1, set(library.keys("video")))
    # With nothing to delete, a look is not withheld. A complete listing is judged by itself.
    _, applied = look(engine, client, "v0050", max_delete_ratio=0.1)
    assert not applied.verdict.withheld
    library.remove("video", "v0050")
    _, applied = look(engine, client, "v0050", max_delete_ratio=0.1)
    assert applied.verdict.withheld
    sync(engine, client, max_delete_ratio=0.1)
    assert live(engine) == set(library.keys("video"))


@pytest.mark.parametrize("reason", ["v1", "too many", "never listed"])
def test_where_looks_are_no_use_the_changes_are_read(engine, simulator, library, client, monkeypatch, reason):
    library.edit("video", "v0001", title="Changed", updated=2_000_000_000)
    if reason == "v1":
        with jwplatform(simulator, "v1") as client:
            sync(engine, client, max_change_ratio=1)
            assert read(engine, client, "v0001").scope == "incremental"
    elif reason == "too many":
        monkeypatch.setattr(looks, "MOST_KEYS", 3)
        assert read(engine, client, "v0001", "v0002", "v0003").scope == "keys"
        assert read(engine, client, "v0001", "v0002", "v0003", "v0004").scope == "incremental"
        assert apply(engine, client, run="another").plan.changed == 1
    else:
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE raw_snapshots SET applied_at = NULL")
        assert read(engine, client, "v0001").scope == "full"
    assert MOST_KEYS == 100


def test_only_the_run_that_looked_applies_its_look(engine, library, client):
    library.edit("video", "v0001", title="Changed")
    read(engine, client, "v0001")
    for run in (None, "another run"):
        assert apply(engine, client, run=run).plan is None
    assert apply(engine, client).plan.changed == 1
    assert apply(engine, client).plan is None


def test_an_older_listing_does_not_undo_what_a_look_saw(engine, library, client):
    listing = read_listing(engine, client, "video")
    library.edit("video", "v0001", title="Changed")
    library.remove("video", "v0002")
    library.put("video", video("new00001"))
    _, looked = look(engine, client, "v0001", "v0002", "new00001")
    assert (looked.plan.added, looked.plan.changed, looked.plan.deleted) == (1, 1, 1)
    applied = apply(engine, client, run=None)
    assert applied.plan.snapshot_id == listing.snapshot_id
    assert (applied.plan.rows, applied.plan.missing) == (0, 0)
    assert title(engine, "v0001") == "Changed"
    assert live(engine) == set(library.keys("video"))
    # The next listing is newer, and counts.
    library.edit("video", "v0001", title="Changed again")
    sync(engine, client)
    assert title(engine, "v0001") == "Changed again"


def test_a_look_leaves_a_quarantined_listing_and_its_release_alone(engine, library, client):
    kept, gone = library.keys("video")[:50], library.keys("video")[50:]
    library.replace_all([library.get("video", key) for key in kept], [])
    for number in range(60):
        library.put("video", video(f"new{number:05}"))
    listing, refused = sync(engine, client)
    assert refused.verdict.refusal
    library.edit("video", "v0001", title="Changed")
    _, looked = look(engine, client, "v0001")
    assert looked.plan.changed == 1
    with engine.connect() as connection:
        assert snapshots.pending(connection, "video").id == listing.snapshot_id
    (status,) = rows(engine, "SELECT quarantined_snapshot AS id FROM sync_status WHERE resource_type = 'video'")
    assert status.id == listing.snapshot_id
    released = apply_newest(
        engine, "video", options=MirrorOptions(), client=None, release=Release(listing.snapshot_id, "a person")
    )
    assert (released.plan.added, released.plan.deleted) == (60, len(gone))
    assert title(engine, "v0001") == "Changed"


def test_a_look_says_nothing_about_when_all_changes_were_seen(engine, library, client):
    (before,) = rows(engine, "SELECT changes_seen_until FROM sync_status WHERE resource_type = 'video'")
    library.edit("video", "v0001", title="Changed", updated=2_000_000_000)
    with engine.connect() as connection:
        watermark = snapshots.watermark(connection, "video")
    look(engine, client, "v0001")
    assert rows(engine, "SELECT changes_seen_until FROM sync_status WHERE resource_type = 'video'") == [before]
    with engine.connect() as connection:
        assert snapshots.watermark(connection, "video") == watermark


def test_a_hidden_video_stays_marked_and_others_like_it_are_not_asked_about(engine, simulator, library, client):
    library.hide("video", *library.keys("video")[:5])
    sync(engine, client)
    hidden = missing(engine)
    library.edit("video", "v0001", title="Changed")
    simulator.forget_requests()
    _, applied = look(engine, client, "v0001", "v0002", "v0009")
    assert statuses(simulator) == [200] * 3
    assert (applied.plan.changed, title(engine, "v0001")) == (1, "Changed")
    assert missing(engine) == hidden
    assert len(hidden) == 5


def test_an_answer_that_cannot_be_read_does_not_stop_the_other_looks(engine, library, client):
    library.override("video", "v0001", RawJson("{"))
    library.override("video", "v0002", {"id": "v0002", "metadata": {"title": "a\x00b"}})
    library.edit("video", "v0003", title="Changed")
    listing, applied = look(engine, client, "v0001", "v0002", "v0003")
    assert (listing.status, applied.plan.changed) == ("incomplete", 2)
    assert "v0001" in listing.problem
    assert title(engine, "v0002") == "a\N{REPLACEMENT CHARACTER}b"
    assert title(engine, "v0003") == "Changed"


def test_what_else_happens_in_the_transaction_happens_with_it_or_not_at_all(engine, library, client):
    library.edit("video", "v0001", title="Changed")
    read(engine, client, "v0001")

    def fails(connection, snapshot_id):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply(engine, client, also=fails)
    assert title(engine, "v0001") != "Changed"
    seen = []
    applied = apply(engine, client, also=lambda connection, snapshot_id: seen.append(snapshot_id))
    assert (title(engine, "v0001"), seen) == ("Changed", [applied.plan.snapshot_id])


def test_the_pages_of_looks_are_kept_until_a_newer_listing_is_applied(engine, library, client):
    """An older listing that is still being read has to be compared with all of them."""

    def pages():
        query = "SELECT count(*) AS n FROM raw_pages JOIN raw_snapshots ON snapshot_id = id WHERE scope = 'keys'"
        return rows(engine, query)[0].n

    for _ in range(6):
        look(engine, client, "v0001")
    assert pages() == 6
    sync(engine, client)
    assert pages() == 3


numbers = st.integers(0, 7)
steps = st.lists(
    st.tuples(st.sampled_from(["edit", "remove", "restore"]), numbers)
    | st.tuples(st.just("look"), st.sets(numbers, min_size=1))
    | st.tuples(st.sampled_from(["read a listing", "apply the listing"]), st.none()),
    max_size=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_whatever_is_read_in_between_a_key_stays_as_it_was_last_looked_at_until_a_newer_read(
    engine, library, client, steps
):
    """Listings may be applied long after they were read. There is never an older state after a newer one."""
    library.replace_all(videos(*range(100)), [])
    sync(engine, client, max_delete_ratio=1, confirm_requests=100)
    # For each key, the state at its last look; a listing that is read later may change it again.
    seen = {}
    for number, (step, what) in enumerate(steps):
        key = f"v{what:04}" if isinstance(what, int) else None
        there = key in library.keys("video")
        if step == "edit" and there:
            library.edit("video", key, title=f"Title {number}")
        elif step == "remove" and there:
            library.remove("video", key)
        elif step == "restore" and key and not there:
            library.restore("video", key)
        elif step == "look":
            keys = [f"v{each:04}" for each in what]
            look(engine, client, *keys, max_delete_ratio=1)
            seen |= {each: library.get("video", each)["title"] for each in keys if each in library.keys("video")}
            seen |= {each: None for each in keys if each not in library.keys("video")}
        elif step == "read a listing":
            read_listing(engine, client, "video")
            seen = {}
        elif step == "apply the listing":
            apply(engine, client, run=None, max_delete_ratio=1)
        rows = cache(engine)
        for each, expected in seen.items():
            row = rows[each]
            assert (None if row.deleted_at else row.data["metadata"]["title"]) == expected, (step, each)
    sync(engine, client, max_delete_ratio=1, confirm_requests=100)
    assert live(engine) == set(library.keys("video"))
    assert all(title(engine, key) == library.get("video", key)["title"] for key in library.keys("video")[:8])
