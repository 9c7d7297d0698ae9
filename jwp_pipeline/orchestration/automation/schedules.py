"""The schedules of the daily full resync, the frequent sync of changes, and the daily history.

Put here when a job runs and when it is skipped; jobs.py says what it does.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, timedelta

import dagster as dg

from jwp_pipeline.errors import PipelineError
from jwp_pipeline.history.daily import days_to_compute
from jwp_pipeline.orchestration import jobs
from jwp_pipeline.orchestration.checks.settings import CRONS, unreadable_crons
from jwp_pipeline.orchestration.dagster_private import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG
from jwp_pipeline.orchestration.runs import end_abandoned_runs, run_in_progress, site_of
from jwp_pipeline.orchestration.runtime import Runtime
from jwp_pipeline.settings import Settings


def build_schedules(settings: Settings) -> Sequence[dg.ScheduleDefinition]:
    """Return all schedules. Syncs run at the times in the settings, or at the default time if one cannot be read."""
    unreadable = unreadable_crons(settings)
    defaults = {name: Settings.model_fields[name].default for name in CRONS if name.upper() in unreadable}
    settings = settings.model_copy(update=defaults)
    return [
        _schedule(
            "daily_full_resync",
            jobs.FULL_RESYNC,
            settings.jwp_full_resync_cron,
            settings,
            busy_with=(jobs.FULL_RESYNC,),
            description="Reads both listings in full and synchronises every item, and so also follows changes that JW "
            "Platform makes without a newer `updated`.",
        ),
        _schedule(
            "frequent_sync",
            jobs.FREQUENT_SYNC,
            settings.jwp_frequent_sync_cron,
            settings,
            busy_with=jobs.SYNCS,
            description="Reads what changed since the last sync, with an overlap, or everything if that is not enough.",
        ),
        daily_history,
    ]


@dg.schedule(
    job_name=jobs.HISTORY,
    cron_schedule="15 0 * * *",
    execution_timezone="UTC",
    description="Computes the day that has just ended (UTC), and the days that were missed before it, as partitions of "
    "library_history; then draws library_report again.",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def daily_history(context: dg.ScheduleEvaluationContext, runtime: dg.ResourceParam[Runtime]) -> dg.RunRequest:
    """Compute the day that has just ended and the days that were missed before it, in UTC as library_history has them.

    The same job draws the pictures, so that they come after the days even if both were missed.
    """
    ended = context.scheduled_execution_time.astimezone(UTC).date() - timedelta(days=1)
    try:
        with runtime.database() as engine:
            missing = days_to_compute(engine).first or ended
    except PipelineError:
        # The run will fail with the same error, and then alerts report it.
        missing = ended
    days = {ASSET_PARTITION_RANGE_START_TAG: min(missing, ended), ASSET_PARTITION_RANGE_END_TAG: ended}
    return dg.RunRequest(tags={tag: day.isoformat() for tag, day in days.items()})


def _schedule(
    name: str, job_name: str, cron: str, settings: Settings, *, busy_with: Sequence[str], description: str
) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=name,
        job_name=job_name,
        cron_schedule=cron,
        execution_timezone=settings.jwp_schedule_timezone,
        description=description,
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    def schedule(
        context: dg.ScheduleEvaluationContext, runtime: dg.ResourceParam[Runtime]
    ) -> dg.RunRequest | dg.SkipReason:
        with suppress(PipelineError):
            # The run will fail with the same error, and then alerts report it.
            end_abandoned_runs(context.instance, runtime)
        run = run_in_progress(context.instance, busy_with, site_of(settings))
        if run is not None:
            return dg.SkipReason(f"Run {run.run_id[:8]} of {run.job_name} is {run.status.value.lower()}.")
        return dg.RunRequest()

    return schedule
