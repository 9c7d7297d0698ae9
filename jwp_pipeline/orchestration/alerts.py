"""Alerts: one hook, to the log and, when JWP_ALERT_WEBHOOK_URL is set, to a webhook; and who calls it.

Run-failure alone would not do: a snapshot in quarantine is worth an alert however it came about.
Not here: deciding that a run fails.
"""

import logging

import dagster as dg
import requests

from jwp_pipeline.database.status import read_status
from jwp_pipeline.errors import PipelineError
from jwp_pipeline.orchestration.runtime import Runtime

_log = logging.getLogger("jwp_pipeline.alerts")
_TIMEOUT_SECONDS = 10


def alert(runtime: Runtime, text: str, **details: str) -> str:
    """Tell whoever is to know; never raises. Returns where it went, or why not."""
    _log.error("%s %s", text, details)
    url = runtime.settings().jwp_alert_webhook_url
    if url is None:
        return "to the log (JWP_ALERT_WEBHOOK_URL is not set)"
    try:
        answer = requests.post(url.get_secret_value(), json={"text": text, **details}, timeout=_TIMEOUT_SECONDS)
    except requests.RequestException as error:
        # Its text would show the URL, which is a secret.
        return f"to the log only: the webhook could not be reached ({type(error).__name__})"
    return f"to the webhook, which answered {answer.status_code}"


@dg.run_failure_sensor(
    name="alert_on_failed_run",
    description="Sends an alert for every run that fails.",
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=15,
)
def alert_on_failed_run(context: dg.RunFailureSensorContext, runtime: dg.ResourceParam[Runtime]) -> None:
    """One alert a run."""
    run = context.dagster_run
    reasons = [
        event.step_failure_data.user_failure_data.description or ""
        for event in context.get_step_failure_events()
        if event.step_failure_data.user_failure_data
    ]
    reason = "; ".join(filter(None, reasons)) or context.failure_event.message
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
    """One alert a snapshot; the cursor is the newest one told."""
    try:
        with runtime.database() as engine, engine.connect() as connection:
            refused = [status for status in read_status(connection) if status.quarantined_snapshot is not None]
    except PipelineError as error:
        return dg.SkipReason(str(error))
    told = int(context.cursor or 0)
    news = [status for status in refused if (status.quarantined_snapshot or 0) > told]
    if not news:
        return dg.SkipReason("No snapshot was refused since the last alert.")
    for status in news:
        alert(
            runtime,
            f"The guard refused snapshot {status.quarantined_snapshot} of {status.resource_type}s: {status.problem}. "
            f"Release it with `jwpfetch --release {status.quarantined_snapshot}`, or wait for a good listing.",
            snapshot_id=str(status.quarantined_snapshot),
        )
    return dg.SensorResult(cursor=str(max(status.quarantined_snapshot or 0 for status in news)))
