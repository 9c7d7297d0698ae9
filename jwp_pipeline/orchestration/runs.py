"""Which runs are in progress, whose they are, and which of them were abandoned by their process.

Put here what asks Dagster about runs as such. Whether a sensor may ask for another run is decided in
automation/backoff.py.
"""

import os
import socket
import time
from collections.abc import Sequence
from pathlib import Path

import dagster as dg

from jwp_pipeline.orchestration.jobs import SITE_TAG
from jwp_pipeline.settings import Settings

PROCESS_TAG = "jwp_pipeline/process"
"""`place:pid` of the process that executes a run, the place as `this_place` has it."""

IN_PROGRESS = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)

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
