"""Sensors that notice if JWP changed, a listing is old, the media side lags behind the cache, or edits are due.

Each asks for a run once per cause, again only after a failure, and never while such a run is in progress. It skips if
JWP or the database cannot be reached. `in_step_or_not` asks for no run, but evaluates check `in_step`. Put here further
sensors that ask for runs of the jobs in jobs.py; the one for JWP's own events is in events.py.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta

import dagster as dg
from sqlalchemy import text

from jwp_pipeline.database.connection import connect
from jwp_pipeline.database.status import TypeStatus, read_status
from jwp_pipeline.errors import OutboxError, PipelineError, SettingsError
from jwp_pipeline.jwplatform.management import RESOURCE_TYPES, Probe, ResourceType
from jwp_pipeline.mirror.changes import is_followed
from jwp_pipeline.orchestration import jobs
from jwp_pipeline.orchestration.automation.backoff import CAUSE_TAG, may_ask
from jwp_pipeline.orchestration.checks.media import in_step
from jwp_pipeline.orchestration.checks.settings import unusable_settings
from jwp_pipeline.orchestration.runs import end_abandoned_runs, run_in_progress, site_of
from jwp_pipeline.orchestration.runtime import Runtime
from jwp_pipeline.orchestration.status_page import status_materialization
from jwp_pipeline.outbox.report import what_is_due
from jwp_pipeline.outbox.review import why_not_pushed
from jwp_pipeline.runbook import error_text
from jwp_pipeline.webhooks.store import backlog

Decision = dg.SensorResult | dg.SkipReason

# After a minute there is something wrong with the events.
_LOOKS_FOLLOW_SECONDS = 60.0


@dg.sensor(
    job_name=jobs.FREQUENT_SYNC,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks JW Platform, with one or two requests for each type, whether anything changed, and requests a "
    "sync if the newest change or a total is different.",
)
def jwp_changes(context: dg.SensorEvaluationContext, runtime: dg.ResourceParam[Runtime]) -> Decision:
    """Request a frequent sync. The cause is the total and the newest change of each type at JWP.

    With webhooks, most changes are followed before they are seen here. A sync would then only be in the way of the
    next look.
    """

    def seen() -> str | None:
        require_settings(runtime)
        hooked = runtime.settings().receives_webhooks
        if hooked and _looks_follow(runtime):
            return None
        with runtime.jwplatform(hurried=True) as client:
            probes = {kind: client.probe(kind) for kind in RESOURCE_TYPES}
        if hooked and _is_followed(runtime, probes):
            return None
        stamps = {kind: f"{probe.total}@{probe.newest_change or ''}" for kind, probe in probes.items()}
        return "; ".join(f"{kind}s {stamp}" for kind, stamp in stamps.items())

    what = "Nothing changed at JW Platform that is not followed already"
    return ask_for(context, runtime, seen, busy_with=jobs.SYNCS, settled=True, what=what)


@dg.sensor(
    job_name=jobs.SYNC,
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Requests a full sync when the last verified full listing is older than JWP_MAX_LISTING_AGE_HOURS.",
)
def stale_cache(context: dg.SensorEvaluationContext, runtime: dg.ResourceParam[Runtime]) -> Decision:
    """Request a sync. The cause is the type and the time of each listing that is too old."""

    def stale() -> str | None:
        require_settings(runtime)
        oldest = timedelta(hours=runtime.settings().jwp_max_listing_age_hours)
        causes = []
        for status in current_statuses(runtime):
            if status.in_step_as_of is None or status.lag is None:
                causes.append(f"{status.resource_type}s never")
            elif status.lag > oldest:
                causes.append(f"{status.resource_type}s of {status.in_step_as_of:%Y-%m-%d %H:%M:%S}")
        return "; ".join(causes) or None

    what = "The last full listings are recent enough"
    return ask_for(context, runtime, stale, busy_with=jobs.SYNCS, settled=False, what=what)


@dg.sensor(
    job_name=jobs.MEDIA_SYNC,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Requests job `media_sync` when the cache holds newer content than the media items follow.",
)
def media_items_behind(context: dg.SensorEvaluationContext, runtime: dg.ResourceParam[Runtime]) -> Decision:
    """Request a media sync. The cause is the number of resources that it has not followed yet, and the newest time."""

    def behind() -> str | None:
        late = [status for status in current_statuses(runtime) if status.behind]
        return "; ".join(f"{s.behind} {s.resource_type}s up to {s.behind_newest}" for s in late) or None

    busy_with = (*jobs.SYNCS, jobs.MEDIA_SYNC)
    return ask_for(
        context, runtime, behind, busy_with=busy_with, settled=False, what="The media side has followed the cache"
    )


@dg.sensor(
    job_name=jobs.PUSH,
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Requests job `push` when edits of media items, or new items, are due on their way to JW Platform.",
)
def edits_waiting(context: dg.SensorEvaluationContext, runtime: dg.ResourceParam[Runtime]) -> Decision:
    """Request a push. The cause is what is due: how many items, and the newest edit."""

    def due() -> str | None:
        settings = runtime.settings()
        if not settings.jwp_sync_items:
            return None
        with runtime.database() as engine, connect(engine) as connection:
            connection.execute(text("SET LOCAL lock_timeout TO '5s'"))
            found = what_is_due(connection)
            held_up = why_not_pushed(connection, settings) if found else None
        if held_up:
            raise OutboxError(f"{found}. {held_up}")
        return found

    return ask_for(context, runtime, due, busy_with=(jobs.PUSH,), settled=False, what="No edit is due")


@dg.sensor(
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Evaluates check `in_step` of media_items and renews the page of asset `status`, even after a run that "
    "failed before it could do so, and if nothing runs at all.",
)
def in_step_or_not(context: dg.SensorEvaluationContext, runtime: dg.ResourceParam[Runtime]) -> Decision:
    """Evaluate check `in_step` and renew the status page if the result differs, and after each run.

    The cursor holds the last result and the newest run.
    """
    try:
        settings = runtime.settings()
        key = dg.AssetKey([*settings.asset_key_prefix, "media_items"])
        end_abandoned_runs(context.instance, runtime)
        if run_in_progress(context.instance, (*jobs.SYNCS, jobs.MEDIA_SYNC), site_of(settings)):
            return dg.SkipReason("A run is in progress and will evaluate the check itself.")
        result = in_step(current_statuses(runtime), timedelta(hours=settings.jwp_max_listing_age_hours), key)
    except PipelineError as error:
        return dg.SkipReason(error_text(error))
    last = context.instance.get_runs(dg.RunsFilter(tags={jobs.SITE_TAG: site_of(settings)}), limit=1)
    said = f"{result.passed} {'' if result.passed else result.description} {last[0].run_id if last else ''}"
    if said == context.cursor:
        return dg.SkipReason(f"Nothing new: {result.description}")
    evaluation = dg.AssetCheckEvaluation(
        asset_key=key,
        check_name=result.check_name or "",
        passed=result.passed,
        severity=result.severity,
        description=result.description,
        metadata=result.metadata,
    )
    try:
        page = status_materialization(context.instance, runtime)
    except PipelineError as error:
        return dg.SkipReason(error_text(error))
    return dg.SensorResult(asset_events=[evaluation, page], cursor=said)


def _looks_follow(runtime: Runtime) -> bool:
    """Whether events wait that are so new that a look will follow at any moment."""
    with runtime.database() as engine, connect(engine) as connection:
        waiting = backlog(connection)
    return waiting.events > 0 and waiting.seconds < _LOOKS_FOLLOW_SECONDS


def _is_followed(runtime: Runtime, probes: Mapping[ResourceType, Probe]) -> bool:
    with runtime.database() as engine, connect(engine) as connection:
        return all(is_followed(connection, kind, probe) for kind, probe in probes.items())


def require_settings(runtime: Runtime) -> None:
    """Raise SettingsError if a sync would only fail at its first check, `required_settings`."""
    problems = unusable_settings(runtime.settings())
    if problems:
        raise SettingsError(". ".join(f"{name} {problem}" for name, problem in problems.items()) + ".")


def current_statuses(runtime: Runtime) -> list[TypeStatus]:
    """Read the status of each type. Raises PipelineError, also if the tables stay locked, as during a first mirror."""
    with runtime.database() as engine, connect(engine) as connection:
        connection.execute(text("SET LOCAL lock_timeout TO '5s'"))
        return read_status(connection)


def ask_for(
    context: dg.SensorEvaluationContext,
    runtime: Runtime,
    find_cause: Callable[[], str | None],
    *,
    busy_with: tuple[str, ...],
    settled: bool,
    what: str,
) -> Decision:
    """Request a run for the cause that is found, unless a run is in progress or `may_ask` says no.

    `settled` says whether a successful run settles a cause that can still be seen. `what` is the sentence that is true
    if there is no cause.
    """
    try:
        site = site_of(runtime.settings())
        end_abandoned_runs(context.instance, runtime)
        run = run_in_progress(context.instance, busy_with, site)
        if run is not None:
            return dg.SkipReason(f"Run {run.run_id[:8]} of {run.job_name} is {run.status.value.lower()}.")
        cause = find_cause()
    except PipelineError as error:
        return dg.SkipReason(error_text(error))
    if cause is None:
        return dg.SkipReason(f"{what}.")
    run_key, why_not = may_ask(context.instance, context.sensor_name, cause, site, settled=settled)
    if run_key is None:
        return dg.SkipReason(f"{cause}: {why_not}.")
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=run_key, tags={CAUSE_TAG: cause})], cursor=cause)


SENSORS = (jwp_changes, stale_cache, media_items_behind, edits_waiting, in_step_or_not)
