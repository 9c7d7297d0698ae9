"""The live rows are compared with the last applied listing, without what a listing cannot know."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from sqlalchemy import text

from jwp_pipeline.jwplatform.management import Probe
from jwp_pipeline.mirror import snapshots
from jwp_pipeline.mirror.apply import apply_newest
from jwp_pipeline.mirror.changes import is_followed
from jwp_pipeline.mirror.landing import read_listing
from jwp_pipeline.mirror.looks import read_keys
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline.orchestration.checks.mirror import live_rows_equal_listing
from jwp_pipeline.simulator import RawJson
from jwp_pipeline_tests.support import jwplatform, rows, sync, video

STAMP = 1_700_000_000


@pytest.fixture
def library(simulator):
    simulator.library.replace_all([video(f"v{number:04}", updated=STAMP) for number in range(10)], [])
    return simulator.library


@pytest.fixture
def client(engine, simulator, library):
    """A client of a v2 site with ten videos, which are in the cache."""
    with jwplatform(simulator, "v2") as client:
        sync(engine, client)
        yield client


def look(engine, client, *keys):
    read_keys(engine, client, "video", keys, overlap=timedelta(hours=1), run_id="look")
    return apply_newest(engine, "video", options=MirrorOptions(), client=client, run_id="look")


def pushed(engine, key):
    """Make a row look as if a push had created it a moment ago."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE cached_resources SET pushed_at = now() WHERE key = :key"), {"key": key})


def check(*outcomes):
    return live_rows_equal_listing(dg.AssetKey("cached_resources"), outcomes)


def test_a_listing_that_a_look_has_overtaken_was_still_applied_last(engine, library, client):
    listing = read_listing(engine, client, "video")
    library.remove("video", "v0003")
    library.put("video", video("new00001"))
    look(engine, client, "v0003", "v0004", "new00001")
    applied = apply_newest(engine, "video", options=MirrorOptions(), client=client)
    with engine.connect() as connection:
        assert snapshots.last_applied(connection, "video").id == listing.snapshot_id
    # It lists v0003 and not the new one; the look knows better, and only that is left out.
    assert (applied.live, applied.listed, check(applied).passed) == (10, 10, True)
    with engine.begin() as connection:
        connection.execute(text("UPDATE cached_resources SET deleted_at = now() WHERE key = 'v0005'"))
    applied = apply_newest(engine, "video", options=MirrorOptions(), client=client)
    assert not check(applied).passed


def test_what_a_push_created_need_not_be_listed_yet(engine, library, client):
    pushed(engine, "v0009")
    library.hide("video", "v0009")
    _, applied = sync(engine, client)
    assert (applied.live, applied.never_listed, applied.listed, applied.missing) == (10, 1, 9, 0)
    assert check(applied).passed
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE cached_resources SET pushed_at = now() - interval '2 days' WHERE key = 'v0009'")
        )
    # It is late now, so it is missing. JW Platform still has it.
    _, applied = sync(engine, client)
    assert (applied.live, applied.never_listed, applied.listed, applied.missing) == (10, 0, 9, 1)
    assert check(applied).passed


@pytest.mark.parametrize(
    ("total", "capped", "followed"),
    [(10, False, False), (9, False, True), (8, False, False), (8, True, True), (9, True, True), (10, True, False)],
)
def test_a_probe_is_judged_as_after_a_read_of_changes(engine, client, total, capped, followed):
    """The pushed row is not in JW Platform's total yet, and a capped total is at most what is expected."""
    pushed(engine, "v0009")
    with engine.connect() as connection:
        probe = Probe(total, datetime.fromtimestamp(STAMP, UTC), capped=capped)
        assert is_followed(connection, "video", probe) is followed


def test_the_problems_of_a_key_end_when_a_look_deletes_it(engine, library, client):
    library.override("video", "v0003", RawJson('{"id": "v0003", "metadata": {"title": "\\u0000"}}'))
    library.override("video", "v0004", RawJson('{"id": "v0004", "metadata": {"title": "\\u0000"}}'))
    sync(engine, client)
    library.remove("video", "v0003")
    assert look(engine, client, "v0003").plan.deleted == 1
    found = rows(engine, "SELECT key, resolved_at IS NULL FROM sync_problems WHERE stage = 'cache' ORDER BY key")
    assert found == [("v0003", False), ("v0004", True)]
