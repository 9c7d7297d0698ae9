"""A listing alone deletes nothing: each deletion needs its own 404 from JW Platform."""

import pytest

from jwp_pipeline.errors import MalformedAnswer
from jwp_pipeline.mirror.apply import apply_newest
from jwp_pipeline.mirror.confirm import LOOKED_AT_FIRST, ask
from jwp_pipeline.mirror.landing import read_listing
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline.simulator import Fault
from jwp_pipeline_tests.support import cache, channel, jwplatform, live, rows, sync, sync_changes, video, videos

FOR_EVER = None


@pytest.fixture
def library(simulator):
    """A site with 100 videos and 12 channels."""
    channels = [channel(f"c{n:04}") for n in range(12)]
    simulator.library.replace_all(videos(*range(100)), channels)
    return simulator.library


@pytest.fixture
def client(simulator, library, api):
    with jwplatform(simulator, api) as client:
        yield client


@pytest.fixture(autouse=True)
def cached(engine, simulator, client):
    """Every test begins with a cache that is in step with the site."""
    sync(engine, client)
    simulator.forget_requests()


def asked(simulator):
    """Return the statuses of the answers for single resources since the last call."""
    statuses = [request.status for request in simulator.requests if request.route == "show"]
    simulator.forget_requests()
    return statuses


def missing(engine, resource_type="video"):
    return {key for key, row in cache(engine, resource_type).items() if row.missing_since}


def test_each_deletion_has_its_own_404(engine, simulator, library, client):
    library.remove("video", "v0000", "v0011")
    _, applied = sync(engine, client)
    assert (applied.plan.deleted, applied.plan.unconfirmed) == (2, 0)
    # The 200 is for a listed key, and shows that the route still works.
    assert sorted(asked(simulator)) == [200, 404, 404]
    assert live(engine) == set(library.keys("video"))


def test_a_listing_that_hides_live_videos_again_and_again_deletes_none_of_them(engine, simulator, library, client):
    hidden = library.keys("video")[:25]
    library.hide("video", *hidden)
    for _ in range(3):
        listing, applied = sync(engine, client)
        assert (listing.verified, applied.plan.deleted, applied.plan.unconfirmed) == (True, 0, 25)
        # More than half of the first 20 are still there, so asking for more would only cost requests.
        assert asked(simulator) == [200] * 20
        assert "hides videos: of 20 that it misses, 20 are still there" in applied.plan.asking_stopped
        assert (live(engine), missing(engine)) == (set(library.keys("video")), set(hidden))
    library.unhide("video")
    sync(engine, client)
    assert missing(engine) == set()
    assert not rows(engine, "SELECT FROM resource_changes WHERE change <> 'added'")


def test_hidden_videos_do_not_delay_real_deletions_for_long(engine, library, client):
    hidden, removed = library.keys("video")[:25], library.keys("video")[-4:]
    library.hide("video", *hidden)
    library.remove("video", *removed)
    for _ in range(2):
        sync(engine, client)
    assert live(engine) == set(library.keys("video"))


def test_many_deletions_are_confirmed_over_several_full_and_frequent_syncs(engine, simulator, library, client):
    removed = library.keys("video")[:12]
    library.remove("video", *removed)
    deleted = 0
    for number, run in enumerate((sync, sync_changes, sync_changes), start=1):
        listing, applied = run(engine, client, confirm_requests=5)
        left = max(0, 12 - 5 * number)
        assert (applied.plan.missing, applied.plan.unconfirmed, applied.missing) == (12 - deleted, left, left)
        assert asked(simulator).count(404) == applied.plan.deleted
        # Unconfirmed deletions do not cause a full listing, because they explain the difference between the totals.
        assert listing.scope == ("full" if run is sync else "incremental")
        logged = rows(engine, "SELECT key FROM resource_changes WHERE snapshot_id = :id", id=listing.snapshot_id)
        assert len(logged) == applied.plan.deleted
        deleted += applied.plan.deleted
    assert live(engine) == set(library.keys("video"))


def test_a_row_that_any_read_lists_again_is_no_longer_missing(engine, library, client):
    library.hide("video", "v0003", "v0004")
    sync(engine, client)
    assert missing(engine) == {"v0003", "v0004"}
    before = cache(engine)["v0003"]
    library.unhide("video")
    library.edit("video", "v0003", updated=2_000_000_000, title="Changed")
    sync_changes(engine, client)
    assert missing(engine) == set()
    rewritten = cache(engine)
    assert rewritten["v0003"].updated_at > before.updated_at
    assert rewritten["v0004"].updated_at == before.updated_at


def test_marking_rows_as_missing_does_not_change_their_content(engine, library, client):
    before = cache(engine)
    library.hide("video", "v0003")
    sync(engine, client)
    after = cache(engine)
    assert after["v0003"].missing_since
    assert after["v0003"].asked_at
    assert all(after[key].updated_at == row.updated_at for key, row in before.items())


def test_an_api_that_answers_404_to_everything_deletes_nothing(engine, simulator, library, client):
    library.remove("video", "v0000", "v0001")
    simulator.faults.add(Fault.status(404), route="show", times=FOR_EVER)
    _, applied = sync(engine, client)
    assert (applied.plan.deleted, applied.plan.unconfirmed) == (0, 2)
    assert "404s prove nothing" in applied.plan.asking_stopped
    simulator.faults.clear()
    _, applied = sync(engine, client)
    assert applied.plan.deleted == 2


def test_keys_that_are_new_in_the_listing_show_whether_404s_count(engine, simulator, library, client):
    """None of the listed keys is live in the cache: of the small library, nothing old is listed any more."""
    library.replace_all([], [channel(f"c{n:04}") for n in range(100, 103)])
    sync(engine, client, "channel")
    library.replace_all([], [channel(f"c{n:04}") for n in range(200, 203)])
    simulator.faults.add(Fault.status(404), route="show", times=FOR_EVER)
    _, applied = sync(engine, client, "channel")
    assert (applied.plan.added, applied.plan.deleted, applied.plan.unconfirmed) == (3, 0, 3)
    assert "404s prove nothing" in applied.plan.asking_stopped
    simulator.faults.clear()
    _, applied = sync(engine, client, "channel")
    assert applied.plan.deleted == 3


class Answering:
    """A client whose `show` returns or raises what is in `answers`, and else finds the key."""

    def __init__(self, **answers):
        self.answers = answers
        self.asked = []

    def show(self, kind, key):
        self.asked.append(key)
        answer = self.answers.get(key, {"key": key})
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_an_unreadable_answer_does_not_keep_the_sync_from_stopping_early():
    keys = [f"k{number}" for number in range(60)]
    client = Answering(k19=MalformedAnswer("odd"))
    answers = ask(client, "video", keys, ["listed"])
    assert client.asked == keys[:LOOKED_AT_FIRST]
    assert "19 are still there" in answers.stopped
    assert answers.unclear == ("k19",)


def test_an_unreadable_answer_about_one_listed_key_leaves_the_others_to_prove_the_404s():
    client = Answering(gone=None, odd=MalformedAnswer("odd"))
    assert ask(client, "video", ["gone"], ["odd", "listed"]).gone == ("gone",)
    answers = ask(client, "video", ["gone"], ["odd"])
    assert (answers.gone, answers.stopped) == ((), "JW Platform could not be asked: odd")


def test_a_key_that_jw_platform_cannot_be_asked_about_is_not_deleted(engine, library, client):
    if client.api_version == "v1":
        pytest.skip("v1 sends the key as a parameter")
    library.put("video", video(".."))
    sync(engine, client)
    library.remove("video", "..", "v0000")
    _, applied = sync(engine, client)
    assert (applied.plan.deleted, missing(engine)) == (1, {".."})


@pytest.mark.parametrize(
    "fault", [Fault.status(404, "html"), Fault.status(410, "html"), Fault.status(503), Fault.drop()]
)
def test_only_a_404_of_jw_platform_itself_confirms_a_deletion(engine, simulator, library, client, fault):
    library.remove("video", "v0000")
    library.put("video", video("v9999"))
    simulator.faults.add(fault, route="show", times=FOR_EVER)
    _, applied = sync(engine, client)
    # New videos of the listing do not wait for the confirmation.
    assert (applied.plan.added, applied.plan.deleted, applied.plan.unconfirmed) == (1, 0, 1)
    simulator.faults.clear()
    _, applied = sync(engine, client)
    assert applied.plan.deleted == 1


def test_without_a_client_nothing_is_deleted(engine, library, client):
    library.remove("video", "v0000")
    read_listing(engine, client, "video")
    applied = apply_newest(engine, "video", options=MirrorOptions(), client=None)
    assert (applied.plan.deleted, applied.plan.unconfirmed, len(live(engine))) == (0, 1, 100)
    _, applied = sync(engine, client)
    assert applied.plan.deleted == 1


def test_a_resource_that_became_unreadable_is_not_deleted(engine, library, client):
    unreadable = library.keys("video")[:4]
    for key, value in zip(unreadable, [None, 7, {"title": "no key"}, {"key": ""}], strict=True):
        library.override("video", key, value)
    library.remove("video", "v0098", "v0099")
    listing, applied = sync(engine, client)
    assert listing.verified
    assert (applied.plan.deleted, applied.plan.unconfirmed) == (2, 4)
    assert live(engine) == set(library.keys("video"))
    assert applied.open_problems == 4


def test_a_channel_that_is_no_longer_manual_is_gone(engine, simulator, library, client):
    sync(engine, client, "channel")
    library.edit("channel", "c0000", type="dynamic")
    simulator.forget_requests()
    _, applied = sync(engine, client, "channel")
    assert applied.plan.deleted == 1
    assert set(asked(simulator)) == {200}
    assert "c0000" not in live(engine, "channel")


def test_a_dry_run_asks_for_missing_keys_like_a_sync_and_writes_nothing(engine, simulator, library, client):
    library.remove("video", "v0000")
    library.hide("video", "v0001")
    read_listing(engine, client, "video")
    looked = apply_newest(engine, "video", options=MirrorOptions(), client=client, dry_run=True)
    assert (looked.plan.deleted, looked.plan.unconfirmed, looked.missing) == (1, 1, 0)
    assert 404 in asked(simulator)
    assert (len(live(engine)), missing(engine)) == (100, set())
