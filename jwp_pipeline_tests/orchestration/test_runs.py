"""Abandoned runs do not block others, and runs of other sites are left alone. A run opens each resource once."""

import os
from collections import Counter
from datetime import UTC, datetime

import dagster as dg
import pytest
from dotenv.main import DotEnv

from jwp_pipeline.database import locate
from jwp_pipeline.database.leases import Lease, Tolerance
from jwp_pipeline.definitions import build_definitions
from jwp_pipeline.errors import LeaseLost
from jwp_pipeline.orchestration import runs, runtime
from jwp_pipeline.orchestration.dagster_private import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG
from jwp_pipeline.orchestration.jobs import SCHEMA_TAG
from jwp_pipeline.orchestration.runs import end_abandoned_runs
from jwp_pipeline.orchestration.runtime import Runtime
from jwp_pipeline_tests.orchestration.conftest import QUIET
from jwp_pipeline_tests.support import SCHEMA, live, rows, video, wait_until

RUN = dg.DagsterRunStatus
AT_ONCE = Tolerance(silent=-1.0, second_look=0.0)


def lease_of(site, run, *, ended="NULL", heartbeat="clock_timestamp()"):
    """Give a pretended run the lease of a process on another host."""
    site.execute(
        "INSERT INTO run_leases (run_id, host, process_id, heartbeat_at, ended_at, backend_pids, backend_starts)"
        f" VALUES (:run_id, 'another-host', 4711, {heartbeat}, {ended}, '{{}}', '{{}}')",
        run_id=run.run_id,
    )


def end_abandoned(site, tolerance=AT_ONCE):
    with Runtime(settings=site.effective, tolerance=tolerance) as opened:
        return end_abandoned_runs(site.instance, opened)


def status(site, run):
    return site.instance.get_run_by_id(run.run_id).status


def test_schedules_and_sensors_do_not_wait_for_a_run_whose_machine_was_lost(scheduled_site):
    site = scheduled_site
    run = site.pretended_run("full_resync")
    lease_of(site, run)
    assert run.run_id[:8] in site.schedule("daily_full_resync").skip_message
    assert run.run_id[:8] in site.sensor("jwp_changes").skip_message
    site.tolerance = AT_ONCE
    assert len(site.schedule("daily_full_resync").run_requests) == 1
    assert status(site, run) == RUN.FAILURE
    (failure,) = site.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
    assert "process 4711 on another-host" in failure.message
    assert len(site.sensor("jwp_changes").run_requests) == 1


def test_a_schedule_asks_for_a_run_even_if_the_database_cannot_be_reached(scheduled_site):
    """The run will fail, and then alerts report it."""
    scheduled_site.pretended_run("media_sync")
    scheduled_site.settings["jwp_database_url"] = "postgresql://nobody@127.0.0.1:9/none"
    assert len(scheduled_site.schedule("daily_full_resync").run_requests) == 1


def test_an_abandoned_run_without_a_job_of_ours_is_ended_too(site):
    """A run that was started by hand in the UI has none of our tags, but its lease shows that it is ours."""
    run = dg.DagsterRun(job_name="__ASSET_JOB", run_id="0" * 32, status=RUN.STARTED)
    site.instance.add_run(run)
    lease_of(site, run)
    assert end_abandoned(site) == 1
    assert status(site, run) == RUN.FAILURE


def test_a_run_that_dagster_has_declared_dead_loses_its_lease_even_if_it_is_alive(site):
    """A machine that was cut off from Redis, say, can still reach the database, and a retry has begun elsewhere."""
    dead, alive = site.pretended_run("sync"), site.pretended_run("sync")
    lease_of(site, dead)
    lease_of(site, alive)
    site.instance.report_run_failed(dead, "No worker knows this run any more.")
    assert end_abandoned(site, Tolerance(second_look=0.0)) == 0
    [left] = rows(site.engine, "SELECT run_id FROM run_leases WHERE ended_at IS NULL")
    assert left.run_id == alive.run_id


def test_a_run_that_ended_its_lease_but_did_not_report_its_end_is_ended(site):
    just, before = site.pretended_run("sync"), site.pretended_run("sync")
    lease_of(site, just, ended="clock_timestamp()")
    lease_of(site, before, ended="clock_timestamp() - interval '5 minutes'")
    assert end_abandoned(site, Tolerance()) == 1
    assert (status(site, just), status(site, before)) == (RUN.STARTED, RUN.FAILURE)


def test_a_run_whose_process_ended_before_it_had_a_lease_is_ended_after_a_while(site, monkeypatch):
    run = site.pretended_run("sync", **{SCHEMA_TAG: SCHEMA})
    assert end_abandoned(site) == 0
    monkeypatch.setattr(runs, "_GRACE_SECONDS", -1.0)
    assert end_abandoned(site) == 1
    assert status(site, run) == RUN.FAILURE


def test_a_run_without_a_lease_that_may_belong_to_another_site_or_version_is_left_alone(site, monkeypatch):
    monkeypatch.setattr(runs, "_GRACE_SECONDS", -1.0)
    of_older_version = site.pretended_run("sync")
    of_other_schema = site.pretended_run("sync", **{SCHEMA_TAG: "another"})
    site.settings["jwp_asset_prefix"] = "other"
    of_other_site = site.pretended_run("sync", **{SCHEMA_TAG: SCHEMA})
    del site.settings["jwp_asset_prefix"]
    assert end_abandoned(site) == 0
    assert {status(site, run) for run in (of_older_version, of_other_schema, of_other_site)} == {RUN.STARTED}


def test_every_run_has_a_lease_that_it_ends_itself(site):
    assert site.run("media_sync").success
    (run,) = site.instance.get_runs()
    (lease,) = rows(site.engine, "SELECT * FROM run_leases")
    assert (lease.run_id, lease.process_id) == (run.run_id, os.getpid())
    assert (lease.ended_at is not None, lease.taken_over_by) == (True, None)
    assert run.tags[SCHEMA_TAG] == SCHEMA


def test_a_run_that_has_lost_its_lease_writes_nothing(site, monkeypatch):
    site.library.put("video", video("aaaa0001"))
    assert site.run("sync").success
    site.execute("UPDATE media_items SET title = 'Not in step'")
    site.execute("UPDATE videos SET updated = 0")
    site.library.put("video", video("aaaa0002"))

    def lost(lease, connection):
        raise LeaseLost("This run was declared dead.")

    monkeypatch.setattr(Lease, "require", lost)
    day = datetime.now(UTC).date().isoformat()
    of_today = {ASSET_PARTITION_RANGE_START_TAG: day, ASSET_PARTITION_RANGE_END_TAG: day}
    for job, step, tags in (
        ("sync", "cached_resources", None),
        ("media_sync", "media", None),
        ("history", "library_history", of_today),
    ):
        result = site.run(job, tags=tags)
        (failure,) = [event for event in result.all_events if event.is_step_failure]
        assert failure.step_key == step
        assert "This run was declared dead." in failure.step_failure_data.user_failure_data.description
    assert live(site.engine) == {"aaaa0001"}
    assert [row.title for row in rows(site.engine, "SELECT title FROM media_items")] == ["Not in step"]
    assert rows(site.engine, "SELECT FROM library_history") == []


# --- The runtime ------------------------------------------------------------------------------------------


@pytest.fixture
def opened(site, monkeypatch, tmp_path):
    """A counter of what is opened. The site is configured in a file `.env` in the working folder."""
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in site.environment.items()))
    counts = Counter()

    def counting(module, name, what):
        function = getattr(module, name)

        def counted(*arguments, **keywords):
            counts[what] += 1
            return function(*arguments, **keywords)

        monkeypatch.setattr(module, name, counted)

    counting(DotEnv, "parse", ".env")
    counting(locate, "open_engine", "engines")
    counting(runtime, "connect", "clients")
    return counts


def test_a_run_reads_env_once_and_opens_one_engine_and_one_client_and_closes_them(site, opened):
    site.library.put("video", video("aaaa0001"))
    job = build_definitions().resolve_job_def("sync")
    opened.clear()
    assert job.execute_in_process(instance=site.instance, run_config=QUIET).success
    assert opened == {".env": 1, "engines": 1, "clients": 1}
    wait_until(lambda: has_no_session(site))


def test_each_tick_reads_the_settings_again_and_leaves_no_connection_open(site, opened, tmp_path):
    """This is so even after a tick that failed, because all ticks share the process of the code server."""
    (sensor,) = [sensor for sensor in build_definitions().sensors if sensor.name == "stale_cache"]

    def tick():
        resources = {"runtime": build_definitions().resources["runtime"]}
        with dg.build_sensor_context(site.instance, resources=resources, sensor_name=sensor.name) as context:
            return sensor.evaluate_tick(context)

    good = (tmp_path / ".env").read_text()
    opened.clear()
    assert len(tick().run_requests) == 1
    assert (opened[".env"], opened["engines"]) == (1, 1)
    (tmp_path / ".env").write_text(good + "JWP_DATABASE_URL=postgresql://nobody@127.0.0.1:9/none\n")
    assert "Connection refused" in tick().skip_message
    (tmp_path / ".env").write_text(good)
    assert len(tick().run_requests) == 1
    wait_until(lambda: has_no_session(site))


def has_no_session(site):
    """Whether we have no session on the database. The server forgets a session a moment after it was closed."""
    query = (
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND application_name = 'jwp_pipeline'"
    )
    return not rows(site.engine, query)
