"""The sensor that turns JW Platform's own events into runs of job `on_events`.

It is evaluated every few seconds, so all that it does while no event waits is one query of an index. Put here what
becomes of events in the daemon; webhooks/ receives and stores them.
"""

import dagster as dg

from jwp_pipeline.database.connection import connect
from jwp_pipeline.errors import PipelineError
from jwp_pipeline.orchestration import jobs
from jwp_pipeline.orchestration.automation.sensors import Decision, ask_for, require_settings
from jwp_pipeline.orchestration.runtime import Runtime
from jwp_pipeline.runbook import error_text
from jwp_pipeline.webhooks import store


@dg.sensor(
    job_name=jobs.ON_EVENTS,
    minimum_interval_seconds=5,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Requests a look at the keys of the events that JW Platform's webhooks reported (table jwp_events). "
    "Does nothing while no secret of a webhook is set.",
)
def events_waiting(context: dg.SensorEvaluationContext, runtime: dg.ResourceParam[Runtime]) -> Decision:
    """Request a run of `on_events`. The cause is the newest event that waits."""
    try:
        if not runtime.settings().receives_webhooks:
            return dg.SkipReason(
                "Neither JWP_WEBHOOK_SECRETS nor JWP_WEBHOOK_SECRETS_FILE is set, so no webhooks are received."
            )
        require_settings(runtime)
        with runtime.database() as engine, connect(engine) as connection:
            newest = store.newest_waiting(connection)
    except PipelineError as error:
        return dg.SkipReason(error_text(error))
    what = "No event waits"
    if newest is None:
        return dg.SkipReason(f"{what}.")
    # A sync that is in progress has listed the keys already, or delays the run anyway: one run at a time asks JWP.
    busy_with = (*jobs.SYNCS, jobs.ON_EVENTS)
    return ask_for(context, runtime, lambda: f"event {newest}", busy_with=busy_with, settled=False, what=what)
