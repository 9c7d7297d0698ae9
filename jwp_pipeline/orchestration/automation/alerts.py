"""Sends alerts to the log and, if JWP_ALERT_WEBHOOK_URL is set, to a webhook. Two sensors decide when.

Put here what is worth an alert, and how often. Failed runs are not enough: what the guard stops is worth an alert no
matter which command started the sync.
"""

import json
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypedDict

import dagster as dg
import requests

from jwp_pipeline.database.status import TypeStatus
from jwp_pipeline.errors import PipelineError, SettingsError
from jwp_pipeline.masking import Masker, masker_of
from jwp_pipeline.orchestration.automation.sensors import current_statuses
from jwp_pipeline.orchestration.failures import StepFailure, failures_of
from jwp_pipeline.orchestration.jobs import COMMAND_TAG, SITE_TAG, SYNCS
from jwp_pipeline.orchestration.runtime import Runtime
from jwp_pipeline.proxies import exceptions_for
from jwp_pipeline.runbook import error_text, with_runbook_link

_log = logging.getLogger("jwp_pipeline.alerts")
_TIMEOUT_SECONDS = 10
# Alerts about the same trouble are this far apart, because nobody would read one every quarter of an hour.
_REMINDED_EVERY = 6 * 3600.0
_GUARD_TOLD_EVERY = 24 * 3600.0
_REFUSED = "refused"
_LOOKED_BACK = 50


class Told(TypedDict):
    """The last alert about a type: what it was about, and when it was sent, in seconds since the epoch."""

    what: str
    at: float


def alert(runtime: Runtime, text: str, **details: str) -> str:
    """Send an alert to the log and to the webhook. Returns where it went, or why it did not. Never raises."""
    try:
        settings = runtime.settings()
    except SettingsError as error:
        _log.error("%s %s", Masker()(text), details)
        return f"to the log only: {str(error).rstrip('.')}"
    # It may quote what Dagster says about an exception that is not ours.
    text = masker_of(settings)(text)
    _log.error("%s %s", text, details)
    url = settings.jwp_alert_webhook_url
    if url is None:
        return "to the log (JWP_ALERT_WEBHOOK_URL is not set)"
    try:
        with _unlogged():
            answer = requests.post(
                url.get_secret_value(),
                json={"text": text, **details},
                timeout=_TIMEOUT_SECONDS,
                proxies=exceptions_for(url.get_secret_value()),
            )
    except requests.RequestException as error:
        # The error's own text would show the URL, which is a secret.
        return f"to the log only: the webhook could not be reached ({type(error).__name__})"
    return f"to the log{'' if answer.ok else ' only'}; the webhook answered {answer.status_code}"


@contextmanager
def _unlogged() -> Iterator[None]:
    """Silence urllib3 during the block: its debug lines show the URL's path, which holds the secret of a webhook."""
    logger = logging.getLogger("urllib3.connectionpool")

    def nothing(record: logging.LogRecord) -> bool:
        return False

    logger.addFilter(nothing)
    try:
        yield
    finally:
        logger.removeFilter(nothing)


@dg.run_failure_sensor(
    name="alert_on_failed_run",
    description="Sends an alert when runs begin to fail, and every six hours while they fail for the same reason. "
    "jwpfetch, which needs no daemon, says so itself.",
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=15,
)
def alert_on_failed_run(context: dg.RunFailureSensorContext, runtime: dg.ResourceParam[Runtime]) -> None:
    """Send an alert for the first of several runs that fail for the same reason, and then one every six hours."""
    run = context.dagster_run
    if COMMAND_TAG in run.tags:
        context.log.info("A command executed this run, and has told whoever typed it.")
        return
    found = failures_of(context.instance, run.run_id)
    if any(failure.snapshot_to_release is not None for failure in found):
        context.log.info("The guard failed this run; alert_on_guard sends the alert about it.")
        return
    record = context.instance.get_run_record_by_id(run.run_id)
    if record is not None and _told_already(context.instance, record, found):
        context.log.info("The previous run failed for the same reason, so there has been an alert already.")
        return
    reason = "; ".join(dict.fromkeys(failure.reason for failure in found))
    where = alert(runtime, f"Run {run.run_id[:8]} of {run.job_name} failed: {reason}", run_id=run.run_id)
    context.log.info(f"Alert went {where}.")


def _told_already(instance: dg.DagsterInstance, record: dg.RunRecord, found: Sequence[StepFailure]) -> bool:
    """Whether the previous run of the same kind failed for the same reason, in the same period of six hours."""
    run = record.dagster_run
    alike = SYNCS if run.job_name in SYNCS else (run.job_name,)
    before = [
        earlier
        for earlier in instance.get_run_records(
            dg.RunsFilter(
                tags={SITE_TAG: run.tags[SITE_TAG]} if SITE_TAG in run.tags else None,
                statuses=[dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE],
                created_before=record.create_timestamp,
            ),
            limit=_LOOKED_BACK,
        )
        if earlier.dagster_run.job_name in alike and earlier.dagster_run.run_id != run.run_id
    ]
    last = before[0] if before else None
    if last is None or last.dagster_run.status != dg.DagsterRunStatus.FAILURE:
        return False
    if {f.kind for f in failures_of(instance, last.dagster_run.run_id)} != {f.kind for f in found}:
        return False
    slots = {each.create_timestamp.timestamp() // _REMINDED_EVERY for each in (record, last)}
    return len(slots) == 1


@dg.sensor(
    name="alert_on_guard",
    description="Sends an alert when the guard refuses a snapshot or withholds deletions: once for each set of "
    "deletions, and again every day while nobody releases it and no good listing settles it.",
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=60,
)
def alert_on_guard(
    context: dg.SensorEvaluationContext, runtime: dg.ResourceParam[Runtime]
) -> dg.SensorResult | dg.SkipReason:
    """Send an alert if the guard has stopped something. The cursor holds the last alert about each type (`Told`)."""
    try:
        statuses = current_statuses(runtime)
    except PipelineError as error:
        return dg.SkipReason(error_text(error))
    now = time.time()
    told_before: dict[str, Told] = json.loads(context.cursor or "{}")
    told: dict[str, Told] = {}
    alerts = 0
    for status in statuses:
        before = told_before.get(status.resource_type)
        reason = _reason(status)
        if reason is None:
            # While the next listing is being read, it is not refused yet, but a refusal ends only when one is applied.
            if before and before["what"] == _REFUSED and not status.applied_since(before["at"]):
                told[status.resource_type] = before
            continue
        what, snapshot_id, text, page = reason
        ended = before and what == _REFUSED and status.applied_since(before["at"])
        if before and not ended and before["what"] == what and now - before["at"] < _GUARD_TOLD_EVERY:
            told[status.resource_type] = before
            continue
        alert(runtime, with_runbook_link(text, page), snapshot_id=str(snapshot_id))
        told[status.resource_type] = {"what": what, "at": now}
        alerts += 1
    if not alerts:
        return dg.SensorResult(
            skip_reason="The guard has not stopped anything since the last alert.", cursor=json.dumps(told)
        )
    return dg.SensorResult(cursor=json.dumps(told))


def _reason(status: TypeStatus) -> tuple[str, int, str, str] | None:
    """Return what the guard stops: its name in the cursor, the snapshot to release, the text and its runbook page.

    Each refused listing has a snapshot of its own, but all of them are one refusal. A set of withheld deletions keeps
    its snapshot.
    """
    kind = f"{status.resource_type}s"
    if status.withheld_snapshot is not None:
        text = f"Deletions of {kind} are withheld: {status.withheld_text}."
        return f"withheld {status.withheld_snapshot}", status.withheld_snapshot, text, "withheld-deletions"
    if status.quarantined_snapshot is not None:
        text = (
            f"The guard refused snapshot {status.quarantined_snapshot} of {kind}: {status.problem}. "
            f"Release it with `jwpfetch --release {status.quarantined_snapshot}`, or wait for a good listing."
        )
        return _REFUSED, status.quarantined_snapshot, text, "quarantined-snapshot"
    return None
