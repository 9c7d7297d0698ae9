"""Sensors ask for a run once per cause and not while one is in progress. After a failure they ask again, later each
time, so that they never ask in a storm."""

import time
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.storage.tags import RUN_KEY_TAG, SENSOR_NAME_TAG

from jwp_pipeline.orchestration.automation.backoff import CAUSE_TAG, may_ask
from jwp_pipeline.orchestration.runs import site_of
from jwp_pipeline.settings import Settings
from jwp_pipeline_tests.orchestration.conftest import FETCH
from jwp_pipeline_tests.support import channel, live, rows, video

RUN = dg.DagsterRunStatus
ONLY = site_of(Settings.model_construct())
JOBS = {"jwp_changes": "frequent_sync", "stale_cache": "sync", "media_items_behind": "media_sync"}


@pytest.fixture
def small(site):
    """A site of three videos and one playlist."""
    for number in range(3):
        site.library.put("video", video(f"aaaa000{number}", updated=1_000_000_000 + number))
    site.library.put("channel", channel("cccc0001"), created=1_000_000_000, modified=1_000_000_000)
    return site


def obeyed(site, name, *, cursor=None):
    """Evaluate a sensor and run what it asks for. Returns the number of runs."""
    return site.obey(site.sensor(name, cursor=cursor), name, JOBS[name])


def silent(tick):
    """Return why a tick asked for nothing."""
    assert not tick.run_requests
    return tick.skip_message


# --- jwp_changes ------------------------------------------------------------------------------------------


def test_the_sensor_asks_once_for_any_kind_of_change(small):
    tick = small.sensor("jwp_changes")
    (request,) = tick.run_requests
    assert tick.cursor == request.tags[CAUSE_TAG]
    assert request.run_key == f"{ONLY}: {tick.cursor}"
    assert small.obey(tick, "jwp_changes", "frequent_sync") == 1
    changes = [
        lambda library: library.edit("video", "aaaa0001", title="New", updated=1_100_000_000),
        lambda library: library.put("video", video("aaaa0009", updated=5)),
        lambda library: library.remove("video", "aaaa0009"),
        # Now the library is as it was two changes ago, with the same totals and stamps.
        lambda library: library.restore("video", "aaaa0009"),
        lambda library: library.put("channel", channel("cccc0001", title="New"), modified=1_100_000_000),
        lambda library: library.remove("channel", "cccc0001"),
    ]
    for change in changes:
        assert "a run has dealt with it" in silent(small.sensor("jwp_changes", cursor=tick.cursor))
        change(small.library)
        assert obeyed(small, "jwp_changes") == 1
        assert obeyed(small, "jwp_changes") == 0
        assert live(small.engine, "video") == set(small.library.keys("video"))
        assert live(small.engine, "channel") == set(small.library.keys("channel"))
    titles = {row.title for row in rows(small.engine, "SELECT title FROM media_items")}
    assert "New" in titles


def test_a_probe_takes_two_requests_and_is_skipped_while_a_sync_is_in_progress(small):
    small.sensor("jwp_changes")
    assert len(small.simulator.requests) == 2
    for job in ("sync", "full_resync", "frequent_sync"):
        run = small.pretended_run(job)
        assert silent(small.sensor("jwp_changes")) == f"Run {run.run_id[:8]} of {job} is started."
        small.instance.delete_run(run.run_id)
    assert len(small.simulator.requests) == 2


def test_a_probe_that_is_impossible_is_a_reason_to_skip(small):
    settings = dict(small.settings)
    small.settings = settings | {"jwplatform_v2_api_secret": "not-the-secret"}
    refused = silent(small.sensor("jwp_changes"))
    assert "JWPLATFORM_V2_API_SECRET" in refused
    assert "not-the-secret" not in refused
    # The probe itself does not need the player's key, but the sync would stop at once without it.
    for missing in ("jwplatform_api_key", "jwplatform_v2_api_secret", "jwplatform_embed_player_key"):
        small.settings = settings | {"jwplatform_management_api": "v2", missing: None}
        assert missing.upper() in silent(small.sensor("jwp_changes"))
    small.settings = settings | {"jwp_max_delete_ratio": "a third"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JWP_MAX_DELETE_RATIO", "a third")
        small.settings = settings
        assert "JWP_MAX_DELETE_RATIO" in silent(small.sensor("jwp_changes"))


def test_a_site_that_cannot_be_reached_is_given_up_quickly(small):
    """All sensors share one thread, so the alerts would have to wait, too."""
    small.simulator.stop()
    started = time.monotonic()
    assert "Connection refused" in silent(small.sensor("jwp_changes"))
    assert time.monotonic() - started < 10


# --- stale_cache, media_items_behind ----------------------------------------------------------------------


def test_the_sensor_asks_once_for_a_listing_that_became_old(small):
    small.settings |= {"jwp_max_listing_age_hours": 26}
    assert obeyed(small, "stale_cache") == 1
    assert silent(small.sensor("stale_cache")) == "The last full listings are recent enough."
    small.execute("UPDATE raw_snapshots SET started_at = now() - interval '27 hours' WHERE resource_type = 'channel'")
    tick = small.sensor("stale_cache")
    assert tick.run_requests[0].tags[CAUSE_TAG].startswith("channels of ")
    # Reading changes does not count as a full listing.
    assert small.run("frequent_sync").success
    assert len(small.sensor("stale_cache").run_requests) == 1
    assert small.obey(tick, "stale_cache", "sync") == 1
    assert silent(small.sensor("stale_cache")) == "The last full listings are recent enough."


def test_the_sensor_asks_once_for_content_that_the_media_side_has_not_followed(small):
    assert small.run("sync").success
    assert silent(small.sensor("media_items_behind")) == "The media side has followed the cache."
    small.library.edit("video", "aaaa0001", title="New", updated=1_100_000_000)
    small.library.remove("video", "aaaa0002")
    assert small.run("sync", *FETCH).success
    tick = small.sensor("media_items_behind")
    assert tick.run_requests[0].tags[CAUSE_TAG].startswith("2 videos up to ")
    run = small.pretended_run("media_sync")
    assert run.run_id[:8] in silent(small.sensor("media_items_behind"))
    small.instance.delete_run(run.run_id)
    assert small.obey(tick, "media_items_behind", "media_sync") == 1
    assert silent(small.sensor("media_items_behind")) == "The media side has followed the cache."
    items = rows(small.engine, "SELECT title FROM media_items WHERE deleted_at IS NULL ORDER BY title")
    assert [row.title for row in items] == ["New", "Video aaaa0000"]


def test_without_a_database_the_sensors_skip(small):
    small.settings |= {"jwp_database_url": "postgresql://nobody@127.0.0.1:9/none"}
    for name in ("stale_cache", "media_items_behind"):
        assert "127.0.0.1:9" in silent(small.sensor(name))


def test_a_stale_cache_asks_for_nothing_if_a_setting_is_missing(small):
    small.settings |= {"jwplatform_embed_player_key": None}
    assert "JWPLATFORM_EMBED_PLAYER_KEY" in silent(small.sensor("stale_cache"))


# --- Once per cause, and later after each failure ---------------------------------------------------------


def ask(site, sensor, cause, status, **tags):
    """Record a run that the daemon launched for a sensor's cause and that has this status."""
    ended = status if status == RUN.STARTED else RUN.STARTED
    tags = {SENSOR_NAME_TAG: sensor, CAUSE_TAG: cause, **tags}
    run = site.pretended_run(JOBS[sensor], ended, **tags)
    if status == RUN.FAILURE:
        site.instance.report_run_failed(run)
    elif status == RUN.SUCCESS:
        site.instance.report_dagster_event(
            dg.DagsterEvent("PIPELINE_SUCCESS", job_name=run.job_name, message=""), run.run_id
        )
    elif status == RUN.CANCELED:
        site.instance.report_run_canceled(run)
    return run


@pytest.mark.parametrize("settled", [True, False])
def test_after_each_failure_a_sensor_asks_later_and_with_a_new_key(site, settled):
    keys = []
    for minutes in [2, 4, 8, 16, 32, *[60] * 18]:
        key, why_not = may_ask(site.instance, "jwp_changes", "cause", ONLY, settled=settled, now=in_a_year())
        assert why_not == ""
        keys.append(key)
        ask(site, "jwp_changes", "cause", RUN.FAILURE, **{RUN_KEY_TAG: key})
        due = datetime.now(UTC) + timedelta(minutes=minutes)
        for seconds, may in ((-30, False), (30, True)):
            now = due + timedelta(seconds=seconds)
            assert bool(may_ask(site.instance, "jwp_changes", "cause", ONLY, settled=settled, now=now)[0]) == may
    # Dagster never runs a key twice, so with an old key the sensor would ask for ever without success.
    assert len(set(keys)) == len(keys)


def in_a_year():
    return datetime.now(UTC) + timedelta(days=365)


def test_a_success_settles_a_cause_unless_the_run_should_have_removed_it(site):
    ask(site, "jwp_changes", "cause", RUN.FAILURE)
    ask(site, "jwp_changes", "cause", RUN.SUCCESS)
    assert may_ask(site.instance, "jwp_changes", "cause", ONLY, settled=True, now=in_a_year())[0] is None
    ask(site, "stale_cache", "cause", RUN.SUCCESS)
    key, why_not = may_ask(site.instance, "stale_cache", "cause", ONLY, settled=False)
    assert (key, why_not.partition(";")[0]) == (None, "1 run did not help")
    assert may_ask(site.instance, "stale_cache", "cause", ONLY, settled=False, now=in_a_year())[0]


@pytest.mark.parametrize("name", ["stale_cache", "media_items_behind"])
def test_a_successful_run_that_does_not_remove_the_cause_counts_as_failed(small, name):
    """For example, after a sync whose listing is incomplete the cache is as stale as before."""
    small.execute("INSERT INTO cached_resources (type, key, data) VALUES ('video', 'aaaa0001', '{}')")
    (request,) = small.sensor(name).run_requests
    ask(small, name, request.tags[CAUSE_TAG], RUN.SUCCESS)
    assert "1 run did not help" in silent(small.sensor(name))


def test_a_sensor_does_not_ask_again_for_a_run_that_is_in_progress_or_was_canceled(site):
    run = ask(site, "jwp_changes", "cause", RUN.STARTED)
    assert may_ask(site.instance, "jwp_changes", "cause", ONLY, settled=True, now=in_a_year()) == (
        None,
        f"run {run.run_id[:8]} is in progress",
    )
    ask(site, "jwp_changes", "another", RUN.CANCELED)
    assert may_ask(site.instance, "jwp_changes", "another", ONLY, settled=True)[0] is None


def test_sites_that_share_a_dagster_do_not_wait_for_each_other(small):
    tick = small.sensor("jwp_changes")
    small.settings["jwp_asset_prefix"] = "other"
    for job in ("sync", "media_sync"):
        small.pretended_run(job)
    for request in tick.run_requests:
        ask(small, "jwp_changes", request.tags[CAUSE_TAG], RUN.SUCCESS)
    assert silent(small.sensor("jwp_changes")).startswith("Run ")
    del small.settings["jwp_asset_prefix"]
    assert len(small.sensor("jwp_changes").run_requests) == 1


def test_failures_of_one_sensor_do_not_block_another(small):
    assert obeyed(small, "jwp_changes") == 1
    small.library.edit("video", "aaaa0001", title="New", updated=1_100_000_000)
    (request,) = small.sensor("jwp_changes").run_requests
    ask(small, "jwp_changes", request.tags[CAUSE_TAG], RUN.FAILURE)
    assert "1 run did not help" in silent(small.sensor("jwp_changes"))
    small.execute("UPDATE raw_snapshots SET started_at = now() - interval '27 hours'")
    assert len(small.sensor("stale_cache").run_requests) == 1


def test_new_causes_do_not_make_a_storm_while_runs_fail(site):
    """A busy site has a new cause every minute. It is tried rather soon, because it may let runs succeed again."""
    for number, minutes in enumerate([2, 4, 8, 15, 15, 15]):
        ask(site, "jwp_changes", f"cause {number}", RUN.FAILURE)
        due = datetime.now(UTC) + timedelta(minutes=minutes)
        for seconds, may in ((-30, False), (30, True)):
            now = due + timedelta(seconds=seconds)
            assert bool(may_ask(site.instance, "jwp_changes", "a new one", ONLY, settled=True, now=now)[0]) == may
    ask(site, "jwp_changes", "cause 7", RUN.SUCCESS)
    assert may_ask(site.instance, "jwp_changes", "a new one", ONLY, settled=True)[0]


def test_a_sync_that_reads_nothing_new_is_no_new_cause_for_the_media_side(small):
    """Otherwise its back-off would start again with every frequent sync."""
    assert small.run("sync").success
    small.execute("UPDATE cached_resources SET updated_at = now() WHERE key = 'aaaa0001'")
    (before,) = small.sensor("media_items_behind").run_requests
    small.execute("UPDATE raw_snapshots SET started_at = now(), applied_at = now()")
    (after,) = small.sensor("media_items_behind").run_requests
    assert before.run_key == after.run_key


@pytest.mark.parametrize(("name", "ticks"), [("jwp_changes", 100), ("stale_cache", 20), ("media_items_behind", 20)])
def test_many_ticks_make_no_storm(small, name, ticks):
    """Here no run removes the cause: every run fails, or the cache holds content that was never followed."""
    if name == "media_items_behind":
        small.execute("INSERT INTO cached_resources (type, key, data) VALUES ('video', 'aaaa0001', '{}')")
    asked = 0
    for _ in range(ticks):
        for request in small.sensor(name).run_requests:
            ask(small, name, request.tags[CAUSE_TAG], RUN.FAILURE, **{RUN_KEY_TAG: request.run_key})
            asked += 1
    assert asked == 1
