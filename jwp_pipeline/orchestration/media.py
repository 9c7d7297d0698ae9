"""Assets of the platform's own record: videos and channels (links), media_items, media_channels, playlists.

Outputs of one op: selected together they move in one transaction; one selected alone brings itself in step,
in a transaction of its own. Not here: the logic (media/).
"""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from datetime import timedelta

import dagster as dg
from sqlalchemy import Engine

from jwp_pipeline.database.media_tables import Channel, MediaChannel, MediaItem, Playlist, Video
from jwp_pipeline.database.status import TypeStatus, read_status
from jwp_pipeline.database.tables import Base
from jwp_pipeline.media.checks import CHECKS, Check, Violations, run_check
from jwp_pipeline.media.options import MediaOptions
from jwp_pipeline.media.report import MEDIA_ASSETS, MediaAsset, MediaReport
from jwp_pipeline.media.sync import sync_media
from jwp_pipeline.orchestration.checks import ERROR, OPEN_PROBLEMS, WARN, check_result, check_spec
from jwp_pipeline.orchestration.metadata import OWNERS, media_metadata, table_metadata
from jwp_pipeline.orchestration.mirror import POOL
from jwp_pipeline.orchestration.runtime import Runtime, failing_clearly


class MediaConfig(dg.Config):
    """How the media side is brought in step."""

    sync_all: bool = False
    """Synchronise every item, also where JW Platform's `updated` is not newer."""
    ask_jwp: bool = True
    """Ask JW Platform for the members of v2 playlists that changed."""


_DESCRIPTIONS: dict[MediaAsset, str] = {
    "videos": "Link of each JWP video to its media item, with the highest `updated` ever synchronised.",
    "channels": "Link of each JWP channel (v2: manual playlist) to its media channel, and what it lists.",
    "media_items": "The platform's media items with their view permissions. Same item, same id, as long as the video "
    "comes back.",
    "media_channels": "The platform's channels with their edit permissions, and which items belong to each.",
    "playlists": "The playlist of each channel: live items in order.",
}
_MODELS: dict[MediaAsset, type[Base]] = {
    "videos": Video,
    "channels": Channel,
    "media_items": MediaItem,
    "media_channels": MediaChannel,
    "playlists": Playlist,
}
_DEPENDENCIES: dict[MediaAsset, list[str]] = {
    "videos": ["cached_resources"],
    "channels": ["cached_resources"],
    "media_items": ["videos"],
    "media_channels": ["channels", "media_items"],
    "playlists": ["media_channels", "media_items"],
}


_REPORTED = (
    check_spec(
        "in_step",
        "media_items",
        "In step with JW Platform: a recent verified listing has been applied and followed, "
        "and nothing stands in the way. View sync_status says the same.",
    ),
    check_spec(
        "none_became_public",
        "media_items",
        "No item that was not public became public in this sync. Lists those that did.",
    ),
    check_spec(
        "every_field_was_read",
        "media_items",
        "No field of a video or channel is unreadable or claimed twice (table sync_problems).",
    ),
)


@dg.multi_asset(
    name="media",
    can_subset=True,
    pool=POOL,
    specs=[
        dg.AssetSpec(
            asset,
            deps=_DEPENDENCIES[asset],
            description=_DESCRIPTIONS[asset],
            group_name="media",
            kinds={"python", "postgres"},
            owners=OWNERS,
            metadata=table_metadata(_MODELS[asset]),
            skippable=True,
        )
        for asset in MEDIA_ASSETS
    ],
    check_specs=[
        *(check_spec(check.name, check.asset, check.description) for check in CHECKS),
        *_REPORTED,
    ],
)
def media(
    context: dg.AssetExecutionContext, config: MediaConfig, runtime: dg.ResourceParam[Runtime]
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Bring the selected tables in step with the cache."""
    keys = {asset: context.asset_key_for_output(asset) for asset in MEDIA_ASSETS}
    selected = [asset for asset in MEDIA_ASSETS if asset in context.op_execution_context.selected_output_names]
    with failing_clearly(), runtime.database() as engine:
        options = MediaOptions.from_settings(runtime.settings(), sync_all=config.sync_all)
        with runtime.jwplatform() if config.ask_jwp else nullcontext() as client:
            report = sync_media(engine, selected, options=options, client=client)
        runtime.report(report)
        for asset in selected:
            yield dg.MaterializeResult(keys[asset], metadata=media_metadata(report, asset))
        max_age = timedelta(hours=runtime.settings().jwp_max_listing_age_hours)
        selected_checks = {(key.asset_key, key.name) for key in context.selected_asset_check_keys}
        for result in _check_results(engine, report, options, max_age, keys):
            if (result.asset_key, result.check_name) in selected_checks:
                yield result


def _check_results(
    engine: Engine,
    report: MediaReport,
    options: MediaOptions,
    max_age: timedelta,
    keys: dict[MediaAsset, dg.AssetKey],
) -> Iterator[dg.AssetCheckResult]:
    with engine.connect() as connection:
        for check in CHECKS:
            yield _result(check, run_check(connection, check, options.create_items), keys[check.asset])
        statuses = read_status(connection)
    yield in_step(statuses, max_age, keys["media_items"])
    public, problems = report.became_public, report.open_problems
    yield check_result(
        "none_became_public",
        f"{public.count} items became public." if public.count else None,
        well="None.",
        metadata={"items": public.count, "first": [f"{item_id}: {title}" for item_id, title in public.sample]},
        key=keys["media_items"],
        severity=WARN,
    )
    table = "\n".join(f"| {name} | {count} |" for name, count in problems.items())
    yield check_result(
        "every_field_was_read",
        f"{sum(problems.values())} open: {OPEN_PROBLEMS}" if problems else None,
        well="All were.",
        metadata={
            "open": sum(problems.values()),
            "by_field": dg.MetadataValue.md(f"| field | open |\n|---|---|\n{table}"),
        },
        key=keys["media_items"],
        severity=WARN,
    )


def in_step(statuses: Sequence[TypeStatus], max_age: timedelta, key: dg.AssetKey) -> dg.AssetCheckResult:
    """Result of the check of that name."""
    troubles = [trouble for status in statuses if (trouble := status.trouble(max_age))]
    since = min((status.in_step_as_of for status in statuses if status.in_step_as_of), default=None)
    return check_result(
        "in_step",
        "; ".join(troubles),
        well=f"In step as of {since:%Y-%m-%d %H:%M:%S} UTC." if since else "",
        metadata={
            **{f"{status.resource_type}s_live": status.live for status in statuses},
            **{f"{status.resource_type}s_behind": status.behind for status in statuses},
        },
        key=key,
        severity=WARN,
    )


def _result(check: Check, violations: Violations, key: dg.AssetKey) -> dg.AssetCheckResult:
    return check_result(
        check.name,
        f"{violations.count}: {', '.join(violations.sample)}" if violations.count else None,
        well="Holds.",
        metadata={"count": violations.count, "first": list(violations.sample)},
        key=key,
        severity=ERROR if check.serious else WARN,
    )
