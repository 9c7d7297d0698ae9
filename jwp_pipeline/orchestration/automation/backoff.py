"""Whether a sensor may ask for another run, given how the last ones that it asked for ended.

Put here how long a sensor waits after a failure. The sensors themselves are in sensors.py.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

from jwp_pipeline.orchestration.jobs import SITE_TAG
from jwp_pipeline.orchestration.runs import IN_PROGRESS

CAUSE_TAG = "jwp_pipeline/cause"
"""Why a sensor asked for a run; the same cause asks again only after a failure, and after a while."""

_FIRST_BACK_OFF = timedelta(minutes=2)
_LAST_BACK_OFF = timedelta(hours=1)
# A cause that has not been tried yet may be what mends it; on a busy site there is one every minute.
_LONGEST_FOR_A_NEW_CAUSE = timedelta(minutes=15)
_LOOKED_BACK = 20


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
