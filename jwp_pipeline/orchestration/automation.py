"""What every schedule and sensor asks first: is such a run going on, and how did the last ones end.

Not here: the schedules and sensors themselves.
"""

import json
import os
import socket
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

from jwp_pipeline.orchestration.jobs import SITE_TAG
from jwp_pipeline.settings import Settings

CAUSE_TAG = "jwp_pipeline/cause"
"""Why a sensor asked for a run; the same cause asks again only after a failure, and after a while."""

PROCESS_TAG = "jwp_pipeline/process"
"""`host:pid` of the process that executes a run without a daemon to watch it."""

IN_PROGRESS = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)

_FIRST_BACK_OFF = timedelta(minutes=2)
_LAST_BACK_OFF = timedelta(hours=1)
_LOOKED_BACK = 20


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
    """Mark as failed the started runs of this machine whose process is gone; returns how many.

    Dagster's monitoring sees none of them before max_runtime_seconds: of its default launcher it cannot ask whether
    a run lives. Until then they would hold the pool, and every schedule and sensor would wait for them.
    """
    ended = 0
    for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
        gone = _gone(run)
        if gone:
            instance.report_run_failed(run, f"{gone}, which executed it, has ended.")
            ended += 1
    return ended


def may_ask(
    instance: dg.DagsterInstance, sensor: str, cause: str, site: str, *, settled: bool, now: datetime | None = None
) -> tuple[str | None, str]:
    """Whether `sensor` of a site may ask for a run for `cause` now: (run key, "") if so, else (None, why not).

    Once per cause. After a failure again, later each time: two minutes, four, … up to an hour. `settled`: a run
    that succeeds has seen to the cause, until another one comes between; else a cause that is still there after
    it is as good as failed.
    """
    asked_by = {"dagster/sensor_name": sensor, SITE_TAG: site}
    records = instance.get_run_records(dg.RunsFilter(tags={**asked_by, CAUSE_TAG: cause}), limit=_LOOKED_BACK)
    if not records:
        return cause, ""
    last = records[0]
    # Dagster never runs a key twice.
    run_key = f"{cause}/after {last.dagster_run.run_id[:8]}"
    if last.dagster_run.status in IN_PROGRESS:
        return None, f"run {last.dagster_run.run_id[:8]} is at it"
    if settled and last.dagster_run.status == dg.DagsterRunStatus.SUCCESS:
        (newest,) = instance.get_runs(dg.RunsFilter(tags=asked_by), limit=1)
        came_back = newest.run_id != last.dagster_run.run_id
        return (run_key, "") if came_back else (None, "a run has seen to it")
    tries = 0
    for record in records:
        if settled and record.dagster_run.status == dg.DagsterRunStatus.SUCCESS:
            break
        tries += 1
    wait = min(_FIRST_BACK_OFF * 2 ** (tries - 1), _LAST_BACK_OFF)
    ended = datetime.fromtimestamp(last.end_time or last.create_timestamp.timestamp(), UTC)
    due = ended + wait
    if (now or datetime.now(UTC)) < due:
        return None, f"{tries} run{'s' * (tries > 1)} for it did not help; next try after {due:%H:%M:%S} UTC"
    return run_key, ""


def _gone(run: dg.DagsterRun) -> str | None:
    """The process that executed a run, if it is known to be gone."""
    host, _, pid = run.tags.get(PROCESS_TAG, "").partition(":")
    if host == socket.gethostname() and not _alive(int(pid)):
        return f"Process {pid}"
    # A server with a socket, instead of a port, is of this machine: only from here could it be asked to run anything.
    path = json.loads(run.tags.get(".dagster/grpc_info", "{}")).get("socket")
    if path and not _answers(path):
        return "The code server"
    return None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _answers(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        try:
            connection.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except OSError:
            return True
    return True
