"""Decides whether a sensor may ask for another run, by how the last runs that it asked for ended.

Put here how long a sensor waits after a failure. The sensors themselves are in sensors.py.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import dagster as dg

from jwp_pipeline.orchestration.jobs import SITE_TAG
from jwp_pipeline.orchestration.runs import IN_PROGRESS

CAUSE_TAG = "jwp_pipeline/cause"
"""The tag that holds why a sensor asked for a run. The same cause asks again only after a failure and a pause."""

_FIRST_BACK_OFF = timedelta(minutes=2)
_LAST_BACK_OFF = timedelta(hours=1)
# A new cause waits less, because it may be what lets runs succeed again. On a busy site there is one every minute.
_LONGEST_FOR_A_NEW_CAUSE = timedelta(minutes=15)
_LOOKED_BACK = 20


def may_ask(
    instance: dg.DagsterInstance, sensor: str, cause: str, site: str, *, settled: bool, now: datetime | None = None
) -> tuple[str | None, str]:
    """Return (run key, "") if `sensor` of a site may ask for a run for `cause` now, else (None, why not).

    It may ask once per cause. After a failure it may ask again, later each time: after two minutes, four, … up to an
    hour, or up to a quarter of an hour for a cause that was not tried yet. `settled` says that a successful run settles
    the cause until there has been another one; otherwise a cause that outlasts a successful run counts as a failure.
    """
    asked_by = {"dagster/sensor_name": sensor, SITE_TAG: site}
    records = instance.get_run_records(dg.RunsFilter(tags=asked_by), limit=_LOOKED_BACK)
    # The key names the site, because Dagster runs each key of a sensor only once, no matter for which site.
    key = f"{site}: {cause}"
    if not records:
        return key, ""
    last = records[0]
    run, ended = last.dagster_run, last.end_time or last.create_timestamp.timestamp()
    is_new = all(record.dagster_run.tags.get(CAUSE_TAG) != cause for record in records)
    run_key = f"{key}/after {run.run_id[:8]}"
    if run.status in IN_PROGRESS:
        return None, f"run {run.run_id[:8]} is in progress"
    if settled and run.status == dg.DagsterRunStatus.SUCCESS:
        seen_to = run.tags.get(CAUSE_TAG) == cause
        return (None, "a run has dealt with it") if seen_to else (run_key, "")
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
    """Return how many of the newest runs in a row did not help, no matter which cause they had."""
    tries = 0
    for run in runs:
        if run.status == dg.DagsterRunStatus.SUCCESS and (settled or run.tags.get(CAUSE_TAG) != cause):
            break
        tries += 1
    return tries
