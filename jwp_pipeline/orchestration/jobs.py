"""The jobs that people and schedules run. Not here: single assets, which need none."""

import dagster as dg

EVERYTHING = dg.AssetSelection.groups("settings", "mirror", "media")
"""What a sync brings in step; the history is computed from its change log afterwards."""

_CHANGES = {"config": {"scope": "changes"}}

sync = dg.define_asset_job(
    "sync",
    selection=EVERYTHING,
    description="Read both listings in full, bring the cache and the platform's own record in step with them.",
)

full_resync = dg.define_asset_job(
    "full_resync",
    selection=EVERYTHING,
    config={"ops": {"media": {"config": {"sync_all": True}}}},
    description="The same for every resource, whether JW Platform says that it changed or not.",
)

frequent_sync = dg.define_asset_job(
    "frequent_sync",
    selection=EVERYTHING,
    config={"ops": {"raw_videos": _CHANGES, "raw_channels": _CHANGES}},
    description="Read what changed since the last sync, and in full only where the totals do not fit.",
)

media_sync = dg.define_asset_job(
    "media_sync",
    selection=dg.AssetSelection.groups("media"),
    description="Bring the platform's own record in step with the cache; list nothing.",
)

_HISTORY = dg.AssetSelection.groups("history")

history = dg.define_asset_job(
    "history",
    selection=_HISTORY.roots(),
    description="Compute days of the library's past (partitions of library_history) from the change log.",
)

report = dg.define_asset_job(
    "report",
    selection=_HISTORY.sinks(),
    description="Draw library_report anew, from what the tables hold.",
)
