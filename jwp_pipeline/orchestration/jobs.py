"""The jobs that people and schedules run. Not here: single assets, which need none."""

from __future__ import annotations

import dagster as dg

sync = dg.define_asset_job(
    "sync",
    selection=dg.AssetSelection.all(),
    description="Read both listings, bring the cache and the platform's own record in step with them.",
)

full_resync = dg.define_asset_job(
    "full_resync",
    selection=dg.AssetSelection.all(),
    config={"ops": {"media": {"config": {"sync_all": True}}}},
    description="The same for every resource, whether JW Platform says that it changed or not.",
)
