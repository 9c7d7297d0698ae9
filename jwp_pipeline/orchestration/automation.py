"""What every schedule and sensor asks first: is such a run going on, and how did the last ones end.

Not here: the schedules and sensors themselves.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

CAUSE_TAG = "jwp_pipeline/cause"
"""Why a sensor asked for a run; the same cause asks again only after a failure, and after a while."""

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


def run_in_progress(instance: dg.DagsterInstance, job_names: Sequence[str]) -> dg.DagsterRun | None:
    """A run of one of these jobs that has not ended yet."""
    for job_name in job_names:
        runs = instance.get_runs(dg.RunsFilter(job_name=job_name, statuses=list(IN_PROGRESS)), limit=1)
        if runs:
            return runs[0]
    return None


def may_ask(
    instance: dg.DagsterInstance, sensor: str, cause: str, *, now: datetime | None = None
) -> tuple[str | None, str]:
    """Whether `sensor` may ask for a run for `cause` now: (run key, "") if so, else (None, why not).

    Once per cause. After a failure again, later each time: two minutes, four, … up to an hour.
    """
    records = instance.get_run_records(
        dg.RunsFilter(tags={"dagster/sensor_name": sensor, CAUSE_TAG: cause}), limit=_LOOKED_BACK
    )
    if not records:
        return cause, ""
    last = records[0]
    if last.dagster_run.status in IN_PROGRESS:
        return None, f"run {last.dagster_run.run_id[:8]} is at it"
    if last.dagster_run.status == dg.DagsterRunStatus.SUCCESS:
        return None, "a run has seen to it"
    failures = len(records)
    wait = min(_FIRST_BACK_OFF * 2 ** (failures - 1), _LAST_BACK_OFF)
    ended = datetime.fromtimestamp(last.end_time or last.create_timestamp.timestamp(), UTC)
    due = ended + wait
    if (now or datetime.now(UTC)) < due:
        return None, f"the last {failures} runs for it failed; next try after {due:%H:%M:%S} UTC"
    return f"{cause}/{failures}", ""
