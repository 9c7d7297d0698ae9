"""What every schedule and sensor asks first: is such a run going on, and how did the last ones end.

Not here: the schedules and sensors themselves.
"""

import os
import socket
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from jwp_pipeline.orchestration.jobs import SITE_TAG
from jwp_pipeline.orchestration.runtime import Runtime
from jwp_pipeline.settings import Settings

CAUSE_TAG = "jwp_pipeline/cause"
"""Why a sensor asked for a run; the same cause asks again only after a failure, and after a while."""

PROCESS_TAG = "jwp_pipeline/process"
"""`place:pid` of the process that executes a run, the place as `this_place` has it."""

IN_PROGRESS = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)

_FIRST_BACK_OFF = timedelta(minutes=2)
_LAST_BACK_OFF = timedelta(hours=1)
# A cause that has not been tried yet may be what mends it; on a busy site there is one every minute.
_LONGEST_FOR_A_NEW_CAUSE = timedelta(minutes=15)
_LOOKED_BACK = 20
_SILENT_SECONDS = 120.0


def site_of(settings: Settings) -> str:
    """How runs of a site are tagged: by what tells its assets from those of another site in the same Dagster."""
    return settings.jwp_asset_prefix or "only"


def run_in_progress(instance: dg.DagsterInstance, job_names: Sequence[str], site: str) -> dg.DagsterRun | None:
    """A run of one of these jobs, for this site, that has not ended yet."""
    end_abandoned_runs(instance)
    for job_name in job_names:
        runs = instance.get_runs(
            dg.RunsFilter(job_name=job_name, tags={SITE_TAG: site}, statuses=list(IN_PROGRESS)), limit=1
        )
        if runs:
            return runs[0]
    return None


def end_abandoned_runs(instance: dg.DagsterInstance) -> int:
    """Mark as failed the started runs whose process ran on this machine and is gone; returns how many.

    Dagster's monitoring sees none of them before max_runtime_seconds: of its default launcher it cannot ask whether
    a run lives. Until then they would hold the pool, and every schedule and sensor would wait for them.
    """
    ended = 0
    for record in instance.get_run_records(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
        run = record.dagster_run
        gone = _gone(run) or _never_began(record)
        if gone:
            instance.report_run_failed(run, f"{gone}, which executed it, has ended.")
            ended += 1
    return ended


def this_place() -> str:
    """Where process ids mean what they mean here: this host and, of containers that share its name, this one."""
    namespace = Path("/proc/self/ns/pid")
    return socket.gethostname() + (f"/{namespace.readlink()}" if namespace.is_symlink() else "")


def as_resource(runtime: Runtime) -> dg.ResourceDefinition:
    """The runtime as Dagster hands it to assets, schedules and sensors; of a run it notes which process executes it."""

    @dg.resource(description="Settings, database and JW Platform, opened when first asked for.")
    def of_run(context: dg.InitResourceContext) -> Runtime:
        if context.run is not None and context.instance is not None:
            process = f"{this_place()}:{os.getpid()}"
            context.instance.add_run_tags(context.run.run_id, {PROCESS_TAG: process})
        return runtime

    return of_run


def may_ask(
    instance: dg.DagsterInstance, sensor: str, cause: str, site: str, *, settled: bool, now: datetime | None = None
) -> tuple[str | None, str]:
    """Whether `sensor` of a site may ask for a run for `cause` now: (run key, "") if so, else (None, why not).

    Once per cause. After a failure again, later each time: two minutes, four, … up to an hour; for a cause that was
    not tried yet up to a quarter of one. `settled`: a run that succeeds has seen to the cause, until another one comes
    between; else a cause that is still there after it is as good as failed.
    """
    asked_by = {"dagster/sensor_name": sensor, SITE_TAG: site}
    records = instance.get_run_records(dg.RunsFilter(tags=asked_by), limit=_LOOKED_BACK)
    # The site's, for Dagster never runs a key of this sensor twice, and site or tag may be new.
    key = f"{site}: {cause}"
    if not records:
        return key, ""
    last = records[0]
    run, ended = last.dagster_run, last.end_time or last.create_timestamp.timestamp()
    is_new = all(record.dagster_run.tags.get(CAUSE_TAG) != cause for record in records)
    run_key = f"{key}/after {run.run_id[:8]}"
    if run.status in IN_PROGRESS:
        return None, f"run {run.run_id[:8]} is at it"
    if settled and run.status == dg.DagsterRunStatus.SUCCESS:
        seen_to = run.tags.get(CAUSE_TAG) == cause
        return (None, "a run has seen to it") if seen_to else (run_key, "")
    tries = _tries_in_vain([record.dagster_run for record in records], cause, settled=settled)
    if tries == 0:
        return run_key, ""
    wait = min(_FIRST_BACK_OFF * 2 ** (tries - 1), _LONGEST_FOR_A_NEW_CAUSE if is_new else _LAST_BACK_OFF)
    due = datetime.fromtimestamp(ended, UTC) + wait
    if (now or datetime.now(UTC)) < due:
        what = f"{tries} run{'s' * (tries > 1)} did not help"
        return None, f"{what}; next try after {due:%H:%M:%S} UTC"
    return run_key, ""


def _tries_in_vain(runs: Sequence[dg.DagsterRun], cause: str, *, settled: bool) -> int:
    """How many of the newest runs, one after the other, were of no use, whatever they were asked for."""
    tries = 0
    for run in runs:
        if run.status == dg.DagsterRunStatus.SUCCESS and (settled or run.tags.get(CAUSE_TAG) != cause):
            break
        tries += 1
    return tries


def _gone(run: dg.DagsterRun) -> str | None:
    """The process that executed a run, if it is known to be gone."""
    place, _, pid = run.tags.get(PROCESS_TAG, "").rpartition(":")
    return f"Process {pid}" if place == this_place() and not _alive(int(pid)) else None


def _never_began(record: dg.RunRecord) -> str | None:
    """The process of a run of ours that ended before it could say which it was: that takes it a second."""
    tags, started = record.dagster_run.tags, record.start_time or record.create_timestamp.timestamp()
    is_ours_and_silent = SITE_TAG in tags and PROCESS_TAG not in tags
    return "The process" if is_ours_and_silent and time.time() - started > _SILENT_SECONDS else None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
