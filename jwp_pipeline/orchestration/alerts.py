"""Alerts: one hook, to the log and, when JWP_ALERT_WEBHOOK_URL is set, to a webhook; and who calls it.

Run-failure alone would not do: a snapshot in quarantine is worth an alert however it came about.
Not here: deciding that a run fails.
"""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
import requests

from jwp_pipeline.database.status import read_status
from jwp_pipeline.errors import PipelineError, SettingsError
from jwp_pipeline.orchestration.failures import EVENT_TYPES, failures
from jwp_pipeline.orchestration.runtime import Runtime
from jwp_pipeline.runbook import see, told

_log = logging.getLogger("jwp_pipeline.alerts")
_TIMEOUT_SECONDS = 10


def alert(runtime: Runtime, text: str, **details: str) -> str:
    """Tell whoever is to know; never raises. Returns where it went, or why not."""
    _log.error("%s %s", text, details)
    try:
        url = runtime.settings().jwp_alert_webhook_url
        if url is None:
            return "to the log (JWP_ALERT_WEBHOOK_URL is not set)"
        with _unlogged():
            answer = requests.post(url.get_secret_value(), json={"text": text, **details}, timeout=_TIMEOUT_SECONDS)
    except SettingsError as error:
        return f"to the log only: {str(error).rstrip('.')}"
    except requests.RequestException as error:
        # Its text would show the URL, which is a secret.
        return f"to the log only: the webhook could not be reached ({type(error).__name__})"
    return f"to the log{'' if answer.ok else ' only'}; the webhook answered {answer.status_code}"


@contextmanager
def _unlogged() -> Iterator[None]:
    """Silence urllib3, whose debug lines show the URL's path: of a webhook that is where the secret stands."""
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
    description="Sends an alert for every run that fails; jwpfetch, which has no daemon, says so itself.",
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=15,
)
def alert_on_failed_run(context: dg.RunFailureSensorContext, runtime: dg.ResourceParam[Runtime]) -> None:
    """One alert a run."""
    run = context.dagster_run
    entries = context.instance.all_logs(run.run_id, of_type=set(EVENT_TYPES))
    found = failures(entry.dagster_event for entry in entries if entry.dagster_event)
    reason = "; ".join(dict.fromkeys(failure.reason for failure in found)) or context.failure_event.message
    where = alert(runtime, f"Run {run.run_id[:8]} of {run.job_name} failed: {reason}", run_id=run.run_id)
    context.log.info(f"Alert went {where}.")


@dg.sensor(
    name="alert_on_quarantine",
    description="Sends an alert for every snapshot that the guard refuses.",
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=60,
)
def alert_on_quarantine(
    context: dg.SensorEvaluationContext, runtime: dg.ResourceParam[Runtime]
) -> dg.SensorResult | dg.SkipReason:
    """One alert a snapshot; the cursor is the newest one told of each type."""
    try:
        with runtime.database() as engine, engine.connect() as connection:
            refused = [status for status in read_status(connection) if status.quarantined_snapshot is not None]
    except PipelineError as error:
        return dg.SkipReason(told(error))
    # Of each type, for videos and channels are refused in another order than they are read.
    newest_told: dict[str, int] = json.loads(context.cursor or "{}")
    news = [status for status in refused if status.quarantined_snapshot != newest_told.get(status.resource_type)]
    if not news:
        return dg.SkipReason("No snapshot was refused since the last alert.")
    for status in news:
        text = (
            f"The guard refused snapshot {status.quarantined_snapshot} of {status.resource_type}s: {status.problem}. "
            f"Release it with `jwpfetch --release {status.quarantined_snapshot}`, or wait for a good listing."
        )
        alert(runtime, see(text, "quarantined-snapshot"), snapshot_id=str(status.quarantined_snapshot))
        newest_told[status.resource_type] = status.quarantined_snapshot or 0
    return dg.SensorResult(cursor=json.dumps(newest_told))
