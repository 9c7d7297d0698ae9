"""After each step of a changing library, a sync reaches the same state as the reference implementation."""

from datetime import UTC, datetime

import pytest

from jwp_pipeline.commands.launch import SyncRequest, run_sync
from jwp_pipeline_tests import golden
from jwp_pipeline_tests.media.state import differences, read_state
from jwp_pipeline_tests.support import Site


def play(name, library):
    """Yield each (step, state of the reference after it) of a scenario, with the library set to what the step lists."""
    for step, state in golden.steps(name):
        library.replace_all(step["videos"], step["channels"])
        yield step, state


def types_read(options):
    return [kind for kind in ("video", "channel") if not options.get(f"skip_{kind}_fetch")]


# The quick run goes through the longer scenarios with v1 only.
LONG_BY_V2 = [pytest.param(name, "v2", marks=pytest.mark.slow) for name in ("updates", "deletions", "evolving")]


@pytest.mark.parametrize(
    ("name", "api"),
    [*((name, "v1") for name in golden.SCENARIOS), ("first_sync", "v2"), ("channels", "v2"), *LONG_BY_V2],
)
def test_the_reference_s_states_are_reached(name, api, engine, simulator):
    """Semantics §1-§5: this runs step by step over HTTP. P3: another sync at the end finds nothing to do."""
    syncs = []
    with Site(engine, simulator, api, create_items="sms") as jwp:
        for step, state in play(name, jwp.library):
            begin = datetime.now(UTC)
            types = types_read(step["options"])
            if types:
                jwp.fetch(*types)
            report = jwp.follow(sync_all=step["options"].get("sync_all", False))
            syncs.append((begin, datetime.now(UTC)))
            assert differences(read_state(engine), state, syncs) == [], step["name"]
            assert all(counts.live == live(state)[asset] for asset, counts in report.counts.items())
        again = jwp.follow()
        assert not any(counts.written for counts in again.counts.values())


def live(state):
    """Return the number of live rows of each asset in a golden state."""
    items = [item for item in state["media_items"].values() if not item["deleted"]]
    channels = [channel for channel in state["channels"].values() if not channel["deleted"]]
    return {
        "videos": len(state["videos"]),
        "media_items": len(items),
        "channels": len(channels),
        "media_channels": len(channels),
        "playlists": sum(channel["playlist"] is not None for channel in channels),
    }


@pytest.mark.slow
def test_the_job_reaches_the_reference_s_states_too(tables_url, engine, simulator, tmp_path):
    """The Dagster job that people run is started with the options of each step."""
    where = {"database_url": tables_url, "home": tmp_path}
    guard = {"max_delete_ratio": 1, "max_change_ratio": 1}
    settings = Site(engine, simulator, "v2", create_items="sms", **where, **guard).effective()
    syncs = []
    for step, state in play("first_sync", simulator.library):
        begin = datetime.now(UTC)
        options = step["options"]
        request = SyncRequest(types=frozenset(types_read(options)), sync_all=options.get("sync_all", False))
        outcome = run_sync(settings, request)
        syncs.append((begin, datetime.now(UTC)))
        assert outcome.success, outcome.failure
        assert differences(read_state(engine), state, syncs) == [], step["name"]
