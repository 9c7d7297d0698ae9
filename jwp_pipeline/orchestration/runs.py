"""Which runs are in progress, whose they are, and which of them were abandoned by their process.

Put here what asks Dagster about runs as such. Whether a sensor may ask for another run is decided in
automation/backoff.py.
"""

import time
from collections.abc import Sequence

import dagster as dg

from jwp_pipeline.database.leases import Standing, standings
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

# A run needs a second from its start to its lease, and less from the end of that to its own.
_GRACE_SECONDS = 120.0


def site_of(settings: Settings) -> str:
    """How runs of a site are tagged: by what tells its assets from those of another site in the same Dagster."""
    return settings.jwp_asset_prefix or "only"


def run_in_progress(instance: dg.DagsterInstance, job_names: Sequence[str], site: str) -> dg.DagsterRun | None:
    """A run of one of these jobs, for this site, that has not ended yet."""
    for job_name in job_names:
        runs = instance.get_runs(
            dg.RunsFilter(job_name=job_name, tags={SITE_TAG: site}, statuses=list(IN_PROGRESS)), limit=1
        )
        if runs:
            return runs[0]
    return None


def end_abandoned_runs(instance: dg.DagsterInstance, runtime: Runtime) -> int:
    """Mark as failed the started runs of this schema whose process, container or host is gone; returns how many.

    Dagster's monitoring sees none of them before max_runtime_seconds: of its default launcher it cannot ask whether
    a run lives. Until then they would hold the pool, and every schedule and sensor would wait for them. A run without
    a lease in this schema is another site's, or an older version's, and is left alone. Raises SettingsError,
    DatabaseError.
    """
    started = instance.get_run_records(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
    if not started:
        return 0
    with as_database_error(), runtime.database() as engine:
        found = standings(engine, [record.dagster_run.run_id for record in started], runtime.tolerance)
    ended = 0
    for record in started:
        standing = found.get(record.dagster_run.run_id)
        reason = _gone(standing) if standing else _never_began(record, runtime.settings())
        # Another who looked at the same moment may have been faster.
        run = instance.get_run_by_id(record.dagster_run.run_id) if reason else None
        if run is not None and run.status == dg.DagsterRunStatus.STARTED:
            instance.report_run_failed(run, reason)
            ended += 1
    return ended


def _gone(standing: Standing) -> str | None:
    """Why a run that had a lease is over, though Dagster calls it started; None if it is not."""
    if standing.taken_over_by is not None:
        return (
            f"Nothing was heard of this run any more, which {standing.place} executed: the process was killed, or the "
            "machine stopped or cut off. It was declared dead and can write nothing more; the next run goes on from "
            "what is stored."
        )
    if standing.ended and (standing.seconds_since_end or 0.0) > _GRACE_SECONDS:
        return f"This run had ended its work when its process ({standing.place}) ended, but did not come to say so."
    return None


def _never_began(record: dg.RunRecord, settings: Settings) -> str | None:
    """Why a run of this schema that never had a lease is over; None if it may still begin, or is not of this schema."""
    tags, started = record.dagster_run.tags, record.start_time or record.create_timestamp.timestamp()
    is_ours = (tags.get(SITE_TAG), tags.get(SCHEMA_TAG)) == (site_of(settings), settings.jwp_database_schema)
    if is_ours and time.time() - started > _GRACE_SECONDS:
        return "The process that executed this run ended before it began to work."
    return None
