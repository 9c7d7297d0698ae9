"""Finds runs in progress by their site, and ends those that their process has abandoned.

Put here other questions to Dagster about runs. automation/backoff.py decides whether a sensor may ask for another run.
"""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

from jwp_pipeline.database.leases import Standing, standings
from jwp_pipeline.orchestration.dagster_private import RUN_FAILURE_REASON_TAG, RunFailureReason
from jwp_pipeline.orchestration.failures import as_database_error
from jwp_pipeline.orchestration.jobs import SCHEMA_TAG, SITE_TAG
from jwp_pipeline.orchestration.runtime import Runtime
from jwp_pipeline.settings import Settings

IN_PROGRESS = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)

# A run takes a second from its start to its lease, and less from the end of its lease to its own end.
_GRACE_SECONDS = 120.0

# A run that was declared dead is looked at for so long, in case its machine wakes up, and among so many.
_ENDED_LATELY = timedelta(hours=1)
_MOST_ENDED = 25


def site_of(settings: Settings) -> str:
    """Return the tag of a site's runs: its asset prefix, because sites that share a Dagster have different ones."""
    return settings.jwp_asset_prefix or "only"


def run_in_progress(instance: dg.DagsterInstance, job_names: Sequence[str], site: str) -> dg.DagsterRun | None:
    """Return a run of one of these jobs, for this site, that has not ended yet; None if there is none."""
    for job_name in job_names:
        runs = instance.get_runs(
            dg.RunsFilter(job_name=job_name, tags={SITE_TAG: site}, statuses=list(IN_PROGRESS)), limit=1
        )
        if runs:
            return runs[0]
    return None


def end_abandoned_runs(instance: dg.DagsterInstance, runtime: Runtime) -> int:
    """Mark as failed the started runs of this schema whose process, container or host is gone. Returns how many.

    Dagster's monitoring does not notice them before max_runtime_seconds, because it cannot ask its default launcher
    whether a run is alive. Until then they would hold the pool, and every schedule and sensor would wait for them. A
    run that has neither a lease in this schema nor its tags belongs to another site or to an older version, and is
    left alone. A run that Dagster has declared dead loses its lease, so that it cannot commit beside its retry. Raises
    SettingsError, DatabaseError.
    """
    started = instance.get_run_records(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
    declared_dead = _declared_dead(instance)
    if not started and not declared_dead:
        return 0
    run_ids = [*(record.dagster_run.run_id for record in started), *declared_dead]
    with as_database_error(), runtime.database() as engine:
        found = standings(engine, run_ids, runtime.tolerance, over=declared_dead)
    ended = 0
    for record in started:
        standing = found.get(record.dagster_run.run_id)
        reason = _gone(standing) if standing else _never_began(record, runtime.settings())
        # Another process that looked at the same moment may have ended the run already.
        run = instance.get_run_by_id(record.dagster_run.run_id) if reason else None
        if run is not None and run.status == dg.DagsterRunStatus.STARTED:
            instance.report_run_failed(run, reason)
            ended += 1
    return ended


def _declared_dead(instance: dg.DagsterInstance) -> list[str]:
    """Return the newest runs that others have ended: they did not fail in a step, which would end their lease."""
    ended = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED],
        updated_after=datetime.now(UTC) - _ENDED_LATELY,
    )
    runs = instance.get_runs(ended, limit=_MOST_ENDED)
    return [run.run_id for run in runs if run.tags.get(RUN_FAILURE_REASON_TAG) != RunFailureReason.STEP_FAILURE.value]


def _gone(standing: Standing) -> str | None:
    """Return why a run that had a lease is over, although Dagster calls it started; None if it is not over."""
    if standing.taken_over_by is not None:
        return (
            f"This run, which {standing.place} executed, no longer shows that it is alive: the process was killed, or "
            "the machine was stopped or cut off. The run was declared dead and can write nothing more; the next one "
            "goes on from what is stored."
        )
    if standing.ended and (standing.seconds_since_end or 0.0) > _GRACE_SECONDS:
        return f"This run had done its work, but {standing.place} ended before it could report that."
    return None


def _never_began(record: dg.RunRecord, settings: Settings) -> str | None:
    """Return why a run of this site and schema that never had a lease is over; None if it may still begin."""
    tags, started = record.dagster_run.tags, record.start_time or record.create_timestamp.timestamp()
    is_ours = (tags.get(SITE_TAG), tags.get(SCHEMA_TAG)) == (site_of(settings), settings.jwp_database_schema)
    if is_ours and time.time() - started > _GRACE_SECONDS:
        return "The process that executed this run ended before it began to work."
    return None
