"""Freshness policies, which say how old an asset may become before Dagster's UI warns about it."""

from collections.abc import Callable
from datetime import timedelta

import dagster as dg

from jwp_pipeline.settings import Settings

# Dagster accepts no shorter window, and the definitions must load with any settings.
_SHORTEST = timedelta(minutes=1)
_FOLLOWING = {"raw_videos", "raw_channels", "cached_resources", "media_items", "media_channels", "playlists"}


def with_freshness(settings: Settings) -> Callable[[dg.AssetSpec], dg.AssetSpec]:
    """Return a function that puts the configured windows on the assets that follow JW Platform."""
    fail = max(timedelta(hours=settings.jwp_freshness_fail_hours), _SHORTEST)
    warn = max(timedelta(hours=settings.jwp_freshness_warn_hours), _SHORTEST)
    policy = dg.FreshnessPolicy.time_window(fail_window=fail, warn_window=warn if warn < fail else None)

    def apply(spec: dg.AssetSpec) -> dg.AssetSpec:
        return dg.apply_freshness_policy(spec, policy) if spec.key.path[-1] in _FOLLOWING else spec

    return apply
