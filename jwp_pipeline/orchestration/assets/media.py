"""The assets of the platform's own record: videos and channels (links), media_items, media_channels and playlists.

They are outputs of one op, which brings all the selected ones in step in one transaction, even if it is only one. The
body calls one function of media/.
"""

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta

import dagster as dg

from jwp_pipeline.media.options import MediaOptions
from jwp_pipeline.media.report import MEDIA_ASSETS, MediaAsset
from jwp_pipeline.media.sync import sync_media
from jwp_pipeline.orchestration.assets.mirror import POOL
from jwp_pipeline.orchestration.checks.media import SPECS, check_results
from jwp_pipeline.orchestration.failures import as_dagster_failure
from jwp_pipeline.orchestration.metadata import OWNERS, media_metadata, table_metadata
from jwp_pipeline.orchestration.runtime import Runtime


class MediaConfig(dg.Config):
    """How the media side is brought in step."""

    sync_all: bool = False
    """Synchronise every item, even if JW Platform's `updated` is not newer."""
    ask_jwp: bool = True
    """Ask JW Platform for the members of v2 playlists that changed."""


_DESCRIPTIONS: dict[MediaAsset, str] = {
    "videos": "Link of each JWP video to its media item, with the highest `updated` ever synchronised.",
    "channels": "Link of each JWP channel (v2: manual playlist) to its media channel, and what it lists.",
    "media_items": "The platform's media items with their view permissions. A video that comes back gets the same item "
    "with the same id.",
    "media_channels": "The platform's channels with their edit permissions, and which items belong to each.",
    "playlists": "The playlist of each channel: live items in order.",
}
_DEPENDENCIES: dict[MediaAsset, list[str]] = {
    "videos": ["cached_resources"],
    "channels": ["cached_resources"],
    "media_items": ["videos"],
    "media_channels": ["channels", "media_items"],
    "playlists": ["media_channels", "media_items"],
}


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
            metadata=table_metadata(asset),
            skippable=True,
        )
        for asset in MEDIA_ASSETS
    ],
    check_specs=SPECS,
)
def media(
    context: dg.AssetExecutionContext, config: MediaConfig, runtime: dg.ResourceParam[Runtime]
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Bring the selected tables in step with the cache."""
    keys = {asset: context.asset_key_for_output(asset) for asset in MEDIA_ASSETS}
    selected = [asset for asset in MEDIA_ASSETS if asset in context.op_execution_context.selected_output_names]
    with as_dagster_failure(), runtime.database() as engine:
        options = MediaOptions.from_settings(runtime.settings(), sync_all=config.sync_all)
        with runtime.jwplatform() if config.ask_jwp else nullcontext() as client:
            report = sync_media(engine, selected, options=options, client=client, lease=runtime.lease)
        runtime.report(report)
        for asset in selected:
            yield dg.MaterializeResult(keys[asset], metadata=media_metadata(report, asset))
        max_age = timedelta(hours=runtime.settings().jwp_max_listing_age_hours)
        selected_checks = {(key.asset_key, key.name) for key in context.selected_asset_check_keys}
        for result in check_results(engine, report, options, max_age, keys):
            if (result.asset_key, result.check_name) in selected_checks:
                yield result
