"""Assets of the mirror: settings → raw_videos, raw_channels → cached_resources and its change log.

Each body calls one function of the mirror and returns its report. Not here: the logic (mirror/).
"""

import getpass
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from datetime import timedelta
from typing import Literal

import dagster as dg
from sqlalchemy import Engine

from jwp_pipeline.database.connection import connect
from jwp_pipeline.database.tables import CachedResource, RawPage, ResourceChange
from jwp_pipeline.errors import SettingsError, SnapshotQuarantined
from jwp_pipeline.jwplatform.connect import refused_settings
from jwp_pipeline.jwplatform.management import RESOURCE_TYPES, ResourceType
from jwp_pipeline.media.options import MediaOptions
from jwp_pipeline.mirror import snapshots
from jwp_pipeline.mirror.apply import Applied, Release, apply_newest
from jwp_pipeline.mirror.changes import read_changes
from jwp_pipeline.mirror.landing import Listing, Progress, read_listing
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline.orchestration.checks import ERROR, WARN, check_result, check_spec
from jwp_pipeline.orchestration.metadata import listing_metadata, plan_metadata, table_metadata
from jwp_pipeline.orchestration.runtime import Runtime, failing_clearly
from jwp_pipeline.orchestration.schedules import unreadable_crons
from jwp_pipeline.settings import Settings

POOL = "jwp_api"
OWNERS = ["team:media-platform"]
OPEN_PROBLEMS = "SELECT * FROM sync_problems WHERE resolved_at IS NULL"


class ListingConfig(dg.Config):
    """How a listing is read."""

    scope: Literal["full", "changes"] = "full"
    """`full` reads everything. `changes` reads what changed since the last sync, and everything where the totals
    show that this is not enough; it never deletes."""


class CacheConfig(dg.Config):
    """How `cached_resources` is brought in step."""

    videos: bool = True
    """Bring videos in step; else their rows stay as they are."""
    channels: bool = True
    """Bring channels in step; else their rows stay as they are."""
    dry_run: bool = False
    """Show the plan; change nothing."""
    release: int | None = None
    """Id of a quarantined snapshot: apply that one, past the guard, and nothing else."""
    ask_jwp: bool = True
    """Confirm deletions with JW Platform. Without it nothing is deleted."""


@dg.asset(
    group_name="settings",
    kinds={"python"},
    owners=OWNERS,
    check_specs=[
        check_spec(
            "required_settings",
            "settings",
            "Every required setting is set and readable. Stops the run before anything is fetched.",
            blocking=True,
        )
    ],
)
def settings(runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
    """The effective configuration of this site, secrets masked."""
    try:
        effective = runtime.settings()
        shown, problems = effective.redacted(), unusable_settings(effective)
    except SettingsError as error:
        shown, problems = {}, {"settings": str(error)}
    rows = "\n".join(f"| `{name}` | {'' if value is None else f'`{value}`'} |" for name, value in shown.items())
    hints = "\n".join(f"- `{name}` {problem}" for name, problem in problems.items())
    return dg.MaterializeResult(
        metadata={
            "configuration": dg.MetadataValue.md(f"| setting | value |\n|---|---|\n{rows}"),
            "missing": len(problems),
        },
        check_results=[
            check_result(
                "required_settings",
                "; ".join(f"{name} {problem}" for name, problem in problems.items()),
                well="All are set.",
                metadata={"missing": dg.MetadataValue.md(hints or "none")},
            )
        ],
    )


def unusable_settings(settings: Settings) -> dict[str, str]:
    """Name of each setting that is missing or makes no sense → what is wrong, and what to do."""
    problems = {name: f"is not set: {hint}" for name, hint in settings.missing_required().items()}
    problems |= refused_settings(settings)
    problems |= {name: f"is {what}" for name, what in unreadable_crons(settings).items()}
    try:
        MediaOptions.from_settings(settings)
    except SettingsError as error:
        problems["JWP_DEFAULT_ACL"] = f"cannot be read: {error}"
    return problems


def _raw_asset(resource_type: ResourceType, what: str) -> dg.AssetsDefinition:
    name = f"raw_{resource_type}s"

    @dg.asset(
        name=name,
        deps=["settings"],
        group_name="mirror",
        kinds={"python", "postgres"},
        owners=OWNERS,
        pool=POOL,
        metadata=table_metadata(RawPage),
        description=f"{what}, exactly as JW Platform lists them: a snapshot in `raw_snapshots` and `raw_pages`, "
        "proven complete or marked incomplete.",
        check_specs=[
            check_spec(
                "verified", name, "The snapshot proved complete; an incomplete one may add and change, but not delete."
            )
        ],
    )
    def raw(
        context: dg.AssetExecutionContext, config: ListingConfig, runtime: dg.ResourceParam[Runtime]
    ) -> dg.MaterializeResult:
        def observe(progress: Progress) -> None:
            left = progress.seconds_left
            context.log.info(
                f"page {progress.pages}: {progress.resources} of {progress.expected} {resource_type}s"
                + (f", about {left:.0f} s left" if left and left >= 1 else "")
            )
            if runtime.observe:
                runtime.observe(progress)

        with failing_clearly(), runtime.database() as engine, runtime.jwplatform() as client:
            if config.scope == "changes":
                overlap = timedelta(minutes=runtime.settings().jwp_overlap_minutes)
                listing = read_changes(
                    engine, client, resource_type, overlap=overlap, run_id=context.run.run_id, observe=observe
                )
            else:
                listing = read_listing(engine, client, resource_type, run_id=context.run.run_id, observe=observe)
        runtime.report(listing)
        return dg.MaterializeResult(metadata=listing_metadata(listing), check_results=[_verified(listing)])

    return raw


raw_videos = _raw_asset("video", "Videos")
raw_channels = _raw_asset("channel", "Manual channels (playlists)")


@dg.multi_asset(
    name="cached_resources",
    pool=POOL,
    specs=[
        dg.AssetSpec(
            "cached_resources",
            deps=["raw_videos", "raw_channels"],
            description="Every video and channel that JW Platform lists or listed: the last `data` of each, when it "
            "was first cached, last really changed and deleted. Works from the newest snapshot not applied yet.",
            group_name="mirror",
            kinds={"postgres"},
            owners=OWNERS,
            metadata=table_metadata(CachedResource),
            skippable=True,
        ),
        dg.AssetSpec(
            "resource_changes",
            deps=["raw_videos", "raw_channels"],
            description="The change log of `cached_resources`: added, changed (with old and new values), restored, "
            "deleted; written in the same transaction.",
            group_name="mirror",
            kinds={"postgres"},
            owners=OWNERS,
            metadata=table_metadata(ResourceChange),
            skippable=True,
        ),
    ],
    check_specs=[
        check_spec(
            "live_rows_equal_listing",
            "cached_resources",
            "Live rows of each type equal the distinct keys of the last applied full listing.",
        ),
        check_spec(
            "nothing_quarantined",
            "cached_resources",
            "No snapshot waits for somebody to look at it. The guard itself sits in the transaction.",
        ),
        check_spec(
            "no_open_problems",
            "cached_resources",
            "Nothing that JW Platform sent had to be set aside or mended (table sync_problems).",
        ),
    ],
)
def cached_resources(
    context: dg.AssetExecutionContext, config: CacheConfig, runtime: dg.ResourceParam[Runtime]
) -> Iterator[dg.MaterializeResult | dg.AssetObservation | dg.AssetCheckResult]:
    """Apply the newest snapshot of each type."""
    key = context.asset_key_for_output("cached_resources")
    refused: list[SnapshotQuarantined] = []
    outcomes: list[Applied] = []
    with failing_clearly(), runtime.database() as engine:
        for resource_type in _types_of(config, engine):
            try:
                outcomes.append(_apply(config, runtime, engine, resource_type, context.run.run_id))
            except SnapshotQuarantined as error:
                refused.append(error)
        waiting = _still_quarantined(engine)
    yield _nothing_quarantined(key, refused, outcomes, waiting)
    yield _live_rows_equal_listing(key, outcomes)
    yield _no_open_problems(key, outcomes)
    if refused:
        plans = [error.outcome.plan for error in refused if isinstance(error.outcome, Applied) and error.outcome.plan]
        yield dg.AssetObservation(key, description="Refused: nothing of this was done.", metadata=plan_metadata(plans))
        with failing_clearly():
            raise refused[0]
    metadata = plan_metadata([outcome.plan for outcome in outcomes if outcome.plan])
    if config.dry_run:
        yield dg.AssetObservation(key, description="Dry run: nothing was changed.", metadata=metadata)
        return
    live = sum(outcome.live for outcome in outcomes)
    logged = sum(plan.rows - plan.refreshed for plan in (outcome.plan for outcome in outcomes) if plan)
    yield dg.MaterializeResult(key, metadata={**metadata, "dagster/row_count": live})
    yield dg.MaterializeResult(context.asset_key_for_output("resource_changes"), metadata={"changes_logged": logged})


def _types_of(config: CacheConfig, engine: Engine) -> Sequence[ResourceType]:
    if config.release is None:
        wanted: dict[ResourceType, bool] = {"video": config.videos, "channel": config.channels}
        return [resource_type for resource_type in RESOURCE_TYPES if wanted[resource_type]]
    with connect(engine) as connection:
        return [snapshots.releasable(connection, config.release).resource_type]


def _apply(config: CacheConfig, runtime: Runtime, engine: Engine, resource_type: ResourceType, run_id: str) -> Applied:
    with runtime.jwplatform() if config.ask_jwp and config.release is None else nullcontext() as client:
        try:
            outcome = apply_newest(
                engine,
                resource_type,
                options=MirrorOptions.from_settings(runtime.settings()),
                client=client,
                run_id=run_id,
                dry_run=config.dry_run,
                release=None if config.release is None else Release(config.release, by=_whoever_runs_this()),
            )
        except SnapshotQuarantined as error:
            if error.outcome is not None:
                runtime.report(error.outcome)
            raise
    runtime.report(outcome)
    return outcome


def _whoever_runs_this() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # In a container the user may have no name.
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def _verified(listing: Listing) -> dg.AssetCheckResult:
    return check_result(
        "verified",
        listing.problem,
        well=f"Complete: {listing.key_count} of {listing.expected_total}.",
        metadata={"snapshot_id": listing.snapshot_id, "attempts": listing.attempts},
        severity=WARN,
    )


def _still_quarantined(engine: Engine) -> dict[int, str]:
    with connect(engine) as connection:
        pending = [snapshots.pending(connection, resource_type) for resource_type in RESOURCE_TYPES]
    return {
        snapshot.id: f"Snapshot {snapshot.id} of {snapshot.resource_type}s is quarantined: {snapshot.problem}."
        for snapshot in pending
        if snapshot is not None and snapshot.status == "quarantined"
    }


def _nothing_quarantined(
    key: dg.AssetKey, refused: Sequence[SnapshotQuarantined], outcomes: Sequence[Applied], waiting: Mapping[int, str]
) -> dg.AssetCheckResult:
    found = dict(waiting) | {error.snapshot_id: str(error) for error in refused}
    # A dry run puts nothing in quarantine; it says what the next sync would do.
    for outcome in outcomes:
        if outcome.plan and outcome.refusal:
            snapshot = f"snapshot {outcome.plan.snapshot_id} of {outcome.resource_type}s"
            found[outcome.plan.snapshot_id] = f"The guard would refuse {snapshot}: {outcome.refusal}."
    return check_result(
        "nothing_quarantined",
        " ".join(found.values()),
        well="Nothing waits to be released.",
        metadata={"snapshots": list(found)},
        key=key,
    )


def _live_rows_equal_listing(key: dg.AssetKey, outcomes: Sequence[Applied]) -> dg.AssetCheckResult:
    compared = [outcome for outcome in outcomes if outcome.listed is not None]
    apart = [outcome for outcome in compared if outcome.live != outcome.listed]
    # Where nothing was applied, the run that did has said why.
    explained = all(outcome.plan is None or outcome.plan.spared or outcome.plan.problems for outcome in apart)
    found = "; ".join(
        f"{outcome.live} {outcome.resource_type}s are live, {outcome.listed} were listed"
        + (f", {outcome.plan.spared} missing ones were spared" if outcome.plan and outcome.plan.spared else "")
        for outcome in apart
    )
    return check_result(
        "live_rows_equal_listing",
        found,
        well="They are equal."
        if len(compared) == len(outcomes)
        else "Nothing to compare with: not every last applied read was a complete listing.",
        metadata={f"{outcome.resource_type}s_live": outcome.live for outcome in outcomes},
        key=key,
        severity=WARN if explained else ERROR,
    )


def _no_open_problems(key: dg.AssetKey, outcomes: Sequence[Applied]) -> dg.AssetCheckResult:
    count = sum(outcome.open_problems for outcome in outcomes)
    return check_result(
        "no_open_problems",
        f"{count} open: {OPEN_PROBLEMS}" if count else None,
        well="None.",
        metadata={"open": count},
        key=key,
        severity=WARN,
    )
