"""The assets of the mirror: raw_videos and raw_channels, then cached_resources and its change log.

Each body calls one function of the mirror and returns its report.
"""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from datetime import timedelta
from typing import Any, Literal

import dagster as dg
from sqlalchemy import Engine

from jwp_pipeline.database.connection import connect
from jwp_pipeline.identity import current_user
from jwp_pipeline.jwplatform.management import RESOURCE_TYPES, ResourceType
from jwp_pipeline.media.options import MediaOptions
from jwp_pipeline.media.preview import MediaPreview
from jwp_pipeline.mirror import releases
from jwp_pipeline.mirror.apply import Applied, Release, apply_newest
from jwp_pipeline.mirror.changes import read_changes
from jwp_pipeline.mirror.landing import Progress, read_listing
from jwp_pipeline.mirror.looks import read_keys
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline.mirror.plan import HEAD_ROWS
from jwp_pipeline.mirror.site import require_site
from jwp_pipeline.orchestration.checks.events import EVENTS_ARE_HANDLED, LONGEST_MINUTES, events_are_handled
from jwp_pipeline.orchestration.checks.mirror import (
    deletions_confirmed,
    live_rows_equal_listing,
    no_open_problems,
    nothing_quarantined,
    refusal_of,
    still_quarantined,
    verified,
)
from jwp_pipeline.orchestration.checks.results import check_spec
from jwp_pipeline.orchestration.failures import as_dagster_failure
from jwp_pipeline.orchestration.metadata import OWNERS, listing_metadata, plan_metadata, table_metadata
from jwp_pipeline.orchestration.runtime import Runtime
from jwp_pipeline.rate_limit import Lane
from jwp_pipeline.webhooks import store

POOL = "jwp_api"


class ListingConfig(dg.Config):
    """How a listing is read."""

    scope: Literal["full", "changes", "events"] = "full"
    """`full` reads everything. `changes` reads what changed since the last sync, which never deletes anything, or
    everything if the totals show that the changes are not enough. `events` asks for the keys of the events that wait,
    or reads the changes if there are many."""


class CacheConfig(dg.Config):
    """How `cached_resources` is brought in step."""

    videos: bool = True
    """Bring videos in step. Otherwise their rows stay as they are."""
    channels: bool = True
    """Bring channels in step. Otherwise their rows stay as they are."""
    dry_run: bool = False
    """Show the plan and change nothing."""
    release: int | None = None
    """The id of a snapshot that the guard refused, or whose deletions it withheld. Nothing else is applied then."""
    ask_jwp: bool = True
    """Ask JW Platform to confirm deletions. Otherwise only a release deletes anything."""
    shown: int = HEAD_ROWS
    """How many changes of the plan to show."""


def _raw_asset(resource_type: ResourceType, what: str) -> dg.AssetsDefinition:
    name = f"raw_{resource_type}s"

    @dg.asset(
        name=name,
        deps=["settings"],
        group_name="mirror",
        kinds={"python", "postgres"},
        owners=OWNERS,
        pool=POOL,
        metadata=table_metadata("raw_pages"),
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

        lane = Lane.LOOKS if config.scope == "events" else Lane.LISTINGS
        with as_dagster_failure(), runtime.database() as engine, runtime.jwplatform(lane) as client:
            require_site(engine, runtime.settings().jwplatform_api_key or "")
            overlap = timedelta(minutes=runtime.settings().jwp_overlap_minutes)
            how: dict[str, Any] = {"run_id": context.run.run_id, "observe": observe}
            if config.scope == "full":
                listing = read_listing(engine, client, resource_type, **how)
            elif config.scope == "changes":
                listing = read_changes(engine, client, resource_type, overlap=overlap, **how)
            else:
                with connect(engine) as connection:
                    waiting = store.waiting(connection, resource_type)
                listing = read_keys(engine, client, resource_type, waiting.keys, overlap=overlap, **how)
                with connect(engine) as connection, connection.begin():
                    store.attach(connection, waiting.ids, listing.snapshot_id)
        runtime.report(listing)
        return dg.MaterializeResult(metadata=listing_metadata(listing), check_results=[verified(listing)])

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
            description="Every video and channel that JW Platform lists or has listed, with its last `data` and the "
            "times when it was first cached, last changed and deleted. Applies the newest snapshot of each type.",
            group_name="mirror",
            kinds={"postgres"},
            owners=OWNERS,
            metadata=table_metadata("cached_resources"),
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
            metadata=table_metadata("resource_changes"),
            skippable=True,
        ),
    ],
    check_specs=[
        check_spec(
            "live_rows_equal_listing",
            "cached_resources",
            "Live rows of each type, except missing ones, equal the distinct keys of the last applied full listing.",
        ),
        check_spec(
            "nothing_quarantined",
            "cached_resources",
            "No snapshot waits for somebody to release it. The guard itself works inside the transaction.",
        ),
        check_spec(
            "deletions_confirmed",
            "cached_resources",
            "JW Platform has answered 404 for every row that its listing misses. Unconfirmed rows stay live.",
        ),
        check_spec(
            "no_open_problems",
            "cached_resources",
            "Nothing that JW Platform sent had to be set aside or mended (table sync_problems).",
        ),
        check_spec(
            EVENTS_ARE_HANDLED,
            "cached_resources",
            f"No event that JW Platform's webhooks reported waits longer than {LONGEST_MINUTES} minutes (table "
            "jwp_events).",
        ),
    ],
)
def cached_resources(
    context: dg.AssetExecutionContext, config: CacheConfig, runtime: dg.ResourceParam[Runtime]
) -> Iterator[dg.MaterializeResult | dg.AssetObservation | dg.AssetCheckResult]:
    """Apply the newest snapshot of each type."""
    key = context.asset_key_for_output("cached_resources")
    with as_dagster_failure(), runtime.database() as engine:
        outcomes = [
            _apply(config, runtime, engine, resource_type, context.run.run_id)
            for resource_type in _types_of(config, engine)
        ]
        waiting = still_quarantined(engine)
        with connect(engine) as connection:
            backlog = store.backlog(connection)
    yield nothing_quarantined(key, outcomes, waiting)
    yield deletions_confirmed(key, outcomes)
    yield live_rows_equal_listing(key, outcomes)
    yield no_open_problems(key, outcomes)
    yield events_are_handled(key, backlog)
    metadata = plan_metadata([outcome.plan for outcome in outcomes if outcome.plan])
    if config.dry_run:
        yield dg.AssetObservation(key, description="Dry run: nothing was changed.", metadata=metadata)
        return
    refusals = [error for outcome in outcomes if (error := refusal_of(outcome))]
    if refusals:
        refused = [outcome.plan for outcome in outcomes if outcome.plan and outcome.refused]
        description = "The guard refused this plan, and nothing of it was applied."
        yield dg.AssetObservation(key, description=description, metadata=plan_metadata(refused))
        with as_dagster_failure():
            raise refusals[0]
    live = sum(outcome.live for outcome in outcomes)
    logged = sum(outcome.plan.rows - outcome.plan.refreshed for outcome in outcomes if outcome.plan)
    yield dg.MaterializeResult(key, metadata={**metadata, "dagster/row_count": live})
    yield dg.MaterializeResult(context.asset_key_for_output("resource_changes"), metadata={"changes_logged": logged})


def _types_of(config: CacheConfig, engine: Engine) -> Sequence[ResourceType]:
    if config.release is None:
        wanted: dict[ResourceType, bool] = {"video": config.videos, "channel": config.channels}
        return [resource_type for resource_type in RESOURCE_TYPES if wanted[resource_type]]
    with connect(engine) as connection:
        return [releases.releasable(connection, config.release).snapshot.resource_type]


def _apply(config: CacheConfig, runtime: Runtime, engine: Engine, resource_type: ResourceType, run_id: str) -> Applied:
    with runtime.jwplatform() if config.ask_jwp and config.release is None else nullcontext() as client:
        if client is not None:
            require_site(engine, runtime.settings().jwplatform_api_key or "")
        outcome = apply_newest(
            engine,
            resource_type,
            options=MirrorOptions.from_settings(runtime.settings()),
            client=client,
            dry_run=config.dry_run,
            release=None if config.release is None else Release(config.release, by=current_user()),
            lease=runtime.lease,
            run_id=run_id,
            also=store.settle,
            shown=config.shown,
            preview=MediaPreview(MediaOptions.from_settings(runtime.settings()))
            if config.dry_run and resource_type == "video"
            else None,
        )
    runtime.report(outcome)
    return outcome
