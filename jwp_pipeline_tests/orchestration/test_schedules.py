"""Schedules run and skip when they should, also when clocks change, and their jobs do their work."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise, takewhile
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._utils.schedules import schedule_execution_time_iterator

from jwp_pipeline.definitions import build_definitions
from jwp_pipeline.settings import load_settings
from jwp_pipeline_tests.support import channel, rows, video

RUN = dg.DagsterRunStatus
DAILY, FREQUENT = "daily_full_resync", "frequent_sync"


def schedules(**settings):
    definitions = build_definitions(settings=load_settings(**settings))
    dg.Definitions.validate_loadable(definitions)
    return {schedule.name: schedule for schedule in definitions.schedules}


def when(schedule):
    return schedule.cron_schedule, schedule.execution_timezone


def times(schedule, zone, start, end):
    """Return the local times at which Dagster runs a schedule, from the date `start` until before the date `end`."""
    first, last = (datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)) for day in (start, end))
    ticks = schedule_execution_time_iterator(first.timestamp(), schedule.cron_schedule, schedule.execution_timezone)
    return [tick.astimezone(ZoneInfo(zone)) for tick in takewhile(lambda tick: tick < last, ticks)]


def test_schedules_have_the_times_of_the_settings():
    default = schedules()
    assert when(default[DAILY]) == ("0 3 * * *", "UTC")
    assert when(default[FREQUENT]) == ("*/15 * * * *", "UTC")
    assert {schedule.default_status for schedule in default.values()} == {dg.DefaultScheduleStatus.RUNNING}
    own = schedules(
        jwp_full_resync_cron="30 1 * * 1-5", jwp_frequent_sync_cron="@hourly", jwp_schedule_timezone="Europe/London"
    )
    assert when(own[DAILY]) == ("30 1 * * 1-5", "Europe/London")
    assert when(own[FREQUENT]) == ("@hourly", "Europe/London")


@pytest.mark.parametrize("cron", ["every day", "0 3 * *", "0 0 3 * * *", "61 3 * * *", "0 3 31 2,4 *"])
def test_a_time_that_cannot_be_read_is_reported_and_does_not_affect_the_other_one(site, cron):
    site.settings |= {"jwp_full_resync_cron": cron, "jwp_frequent_sync_cron": "*/5 * * * *"}
    found = schedules(**site.settings)
    assert (when(found[DAILY])[0], when(found[FREQUENT])[0]) == ("0 3 * * *", "*/5 * * * *")
    result = site.run("sync", "settings")
    (settings,) = [each for each in result.get_asset_check_evaluations() if each.check_name == "required_settings"]
    assert not settings.passed
    assert settings.blocking
    assert "JWP_FULL_RESYNC_CRON" in settings.description
    assert cron in settings.description
    assert "JWP_FREQUENT_SYNC_CRON" not in settings.description


# 01:30 does not exist in London on 28 March 2027, and comes twice on 31 October 2027.
@pytest.mark.parametrize(("start", "end"), [("2027-03-25", "2027-04-01"), ("2027-10-28", "2027-11-04")])
@pytest.mark.parametrize("cron", ["0 3 * * *", "30 1 * * *", "0 1 * * *", "0 2 * * *", "59 0 * * *"])
def test_the_daily_resync_runs_once_a_day_when_clocks_change(cron, start, end):
    zone = "Europe/London"
    found = times(schedules(jwp_full_resync_cron=cron, jwp_schedule_timezone=zone)[DAILY], zone, start, end)
    first = datetime.fromisoformat(start).date()
    assert [tick.date() for tick in found] == [first + timedelta(days=day) for day in range(7)]
    minute, hour = map(int, cron.split()[:2])
    for tick in found:
        exists = (hour, tick.date().isoformat()) != (1, "2027-03-28")
        assert (tick.hour, tick.minute) == ((hour, minute) if exists else (2, 0)), tick


@pytest.mark.parametrize(("start", "end"), [("2027-03-27", "2027-03-30"), ("2027-10-30", "2027-11-02")])
def test_the_frequent_sync_keeps_its_interval_when_clocks_change(start, end):
    zone = "Europe/London"
    found = times(schedules(jwp_schedule_timezone=zone)[FREQUENT], zone, start, end)
    assert {after.timestamp() - before.timestamp() for before, after in pairwise(found)} == {900.0}


def test_a_schedule_waits_for_a_run_of_its_kind(scheduled_site):
    assert len(scheduled_site.schedule(DAILY).run_requests) == len(scheduled_site.schedule(FREQUENT).run_requests) == 1
    for status in (RUN.QUEUED, RUN.NOT_STARTED, RUN.STARTING, RUN.STARTED, RUN.CANCELING):
        run = scheduled_site.pretended_run("full_resync", status)
        for name in (DAILY, FREQUENT):
            tick = scheduled_site.schedule(name)
            assert not tick.run_requests
            assert tick.skip_message == f"Run {run.run_id[:8]} of full_resync is {status.value.lower()}."
        scheduled_site.instance.delete_run(run.run_id)
    # A full sync does everything that a frequent one does, but not the other way round.
    for job in ("sync", "frequent_sync"):
        run = scheduled_site.pretended_run(job)
        assert len(scheduled_site.schedule(DAILY).run_requests) == 1
        assert not scheduled_site.schedule(FREQUENT).run_requests
        scheduled_site.instance.delete_run(run.run_id)
    for status in (RUN.SUCCESS, RUN.FAILURE, RUN.CANCELED):
        scheduled_site.pretended_run("full_resync", status)
        scheduled_site.pretended_run("frequent_sync", status)
    scheduled_site.pretended_run("media_sync")
    assert len(scheduled_site.schedule(DAILY).run_requests) == len(scheduled_site.schedule(FREQUENT).run_requests) == 1


def test_a_schedule_does_not_wait_for_a_run_of_another_site(scheduled_site):
    scheduled_site.settings["jwp_asset_prefix"] = "other"
    scheduled_site.pretended_run("full_resync")
    assert not scheduled_site.schedule(DAILY).run_requests
    del scheduled_site.settings["jwp_asset_prefix"]
    assert len(scheduled_site.schedule(DAILY).run_requests) == len(scheduled_site.schedule(FREQUENT).run_requests) == 1


def test_the_daily_resync_follows_changes_without_a_newer_stamp(site):
    """Renaming a tag at JWP changes content but no stamp, and other syncs leave the item as it was (semantics §2)."""
    site.library.put("video", video("aaaa0001", title="Before"))
    site.library.put("channel", channel("cccc0001"), modified=1_000_000_000)
    assert site.run("sync").success
    site.library.edit("video", "aaaa0001", title="After")
    assert site.run("sync").success
    assert title(site) == "Before"
    (schedule,) = [schedule for schedule in site.definitions.schedules if schedule.name == DAILY]
    job = site.definitions.resolve_job_def(schedule.job_name)
    assert dg.validate_run_config(job)["ops"]["media"]["config"]["sync_all"] is True
    assert site.run(schedule.job_name).success
    assert title(site) == "After"


def test_the_nightly_history_catches_up_with_the_days_that_it_missed(scheduled_site):
    """There was no daemon for three nights; the night after the missed days is an ordinary one."""
    site = scheduled_site
    site.library.put("video", video("aaaa0001"))
    assert site.run("sync").success
    site.execute("UPDATE raw_snapshots SET applied_at = applied_at - interval '4 days'")
    site.execute("UPDATE resource_changes SET changed_at = changed_at - interval '4 days'")
    tonight = datetime.now(UTC).replace(hour=0, minute=15)
    days = [(tonight - timedelta(days=ago)).date() for ago in (4, 3, 2, 1)]

    def run():
        (request,) = site.schedule("daily_history", at=tonight).run_requests
        assert site.run("history", tags=request.tags).success
        return request.tags

    query = "SELECT DISTINCT day FROM library_history WHERE complete ORDER BY day"
    run()
    assert [row.day for row in rows(site.engine, query)] == days
    assert set(run().values()) >= {days[-1].isoformat()}
    assert days[0].isoformat() not in run().values()


def title(site):
    return rows(site.engine, "SELECT title FROM media_items")[0].title


def test_the_frequent_sync_reads_changes_and_reads_in_full_after_a_deletion(site):
    for number in range(3):
        site.library.put("video", video(f"aaaa000{number}"))
    assert site.run("frequent_sync").success
    site.library.edit("video", "aaaa0001", title="New", updated=1_100_000_000)
    assert site.run("frequent_sync").success
    scopes = "SELECT scope FROM raw_snapshots WHERE resource_type = 'video' AND applied_at IS NOT NULL ORDER BY id"
    assert [row.scope for row in rows(site.engine, scopes)] == ["full", "incremental"]
    site.library.remove("video", "aaaa0002")
    assert site.run("frequent_sync").success
    assert [row.scope for row in rows(site.engine, scopes)][2:] == ["full"]
    titles = rows(site.engine, "SELECT title FROM media_items WHERE deleted_at IS NULL ORDER BY title")
    assert [row.title for row in titles] == ["New", "Video aaaa0000"]
