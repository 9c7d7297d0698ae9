"""The jobs that people and schedules run. A single asset needs no job."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

SYNC, FULL_RESYNC, FREQUENT_SYNC, MEDIA_SYNC = "sync", "full_resync", "frequent_sync", "media_sync"
HISTORY = "history"

SYNCS = (SYNC, FULL_RESYNC, FREQUENT_SYNC)
"""Those that read JW Platform."""

SITE_TAG = "jwp_pipeline/site"
"""On every run of a job: which site's it is, where several sites share a Dagster instance and so the jobs' names."""

SCHEMA_TAG = "jwp_pipeline/schema"
"""On every run of a job: the schema that its site's tables were in when it was asked for."""

EVERYTHING = dg.AssetSelection.groups("settings", "mirror", "media")
"""What a sync brings in step; the history is computed from its change log afterwards."""

# Nothing else does what it does, and its next turn is tomorrow. Of failures that may pass only (runtime.py).
_AGAIN_TONIGHT = dg.RetryPolicy(max_retries=3, delay=300, backoff=dg.Backoff.EXPONENTIAL)
_CHANGES = {"config": {"scope": "changes"}}


def build_jobs(site: str, schema: str) -> Sequence[Any]:
    """All jobs, their runs tagged with the site and its schema."""

    def job(
        name: str,
        selection: dg.AssetSelection,
        description: str,
        *,
        retry_policy: dg.RetryPolicy | None = None,
        **ops: Any,
    ) -> Any:
        return dg.define_asset_job(
            name,
            selection,
            config={"ops": ops} if ops else None,
            description=description,
            tags={SITE_TAG: site, SCHEMA_TAG: schema},
            op_retry_policy=retry_policy,
        )

    return [
        job(
            SYNC,
            EVERYTHING,
            "Read both listings in full, bring the cache and the platform's own record in step with them.",
        ),
        job(
            FULL_RESYNC,
            EVERYTHING,
            "The same for every resource, whether JW Platform says that it changed or not.",
            retry_policy=_AGAIN_TONIGHT,
            media={"config": {"sync_all": True}},
        ),
        job(
            FREQUENT_SYNC,
            EVERYTHING,
            "Read what changed since the last sync, and in full only where the totals do not fit.",
            raw_videos=_CHANGES,
            raw_channels=_CHANGES,
        ),
        job(
            MEDIA_SYNC,
            dg.AssetSelection.groups("media"),
            "Bring the platform's own record in step with the cache; list nothing.",
        ),
        job(
            HISTORY,
            dg.AssetSelection.groups("history"),
            "Compute days of the library's past (partitions of library_history) from the change log, then draw "
            "library_report anew.",
        ),
    ]
