"""The jobs that people and schedules run. A single asset needs no job."""

from collections.abc import Sequence
from typing import Any

import dagster as dg

SYNC, FULL_RESYNC, FREQUENT_SYNC, MEDIA_SYNC = "sync", "full_resync", "frequent_sync", "media_sync"
ON_EVENTS = "on_events"
HISTORY, PUSH = "history", "push"

SYNCS = (SYNC, FULL_RESYNC, FREQUENT_SYNC)
"""The jobs that list what is at JW Platform."""

# Dagster's UI hides tags with this prefix. They are for our own questions, and would only fill its list of runs.
_HIDDEN = ".dagster/jwp_pipeline"

SITE_TAG = f"{_HIDDEN}_site"
"""The tag of every run of a job that names its site, because sites that share a Dagster instance have the same jobs."""

SCHEMA_TAG = f"{_HIDDEN}_schema"
"""The tag of every run of a job that names the schema of its site's tables at the time when the run was requested."""

COMMAND_TAG = f"{_HIDDEN}_command"
"""The tag of every run that a command has executed in its own process. It holds the process in words."""

EVERYTHING = dg.AssetSelection.groups("settings", "mirror", "media")
"""The assets that a sync brings in step. The history is computed from the change log afterwards."""

OUTBOX_CHECKS = ("edits_arrive", "no_conflicts", "no_refused_edits")
"""The checks of asset `jwp_updates`, which syncs evaluate as well, because a push that never runs evaluates nothing."""

# The full resync is retried, because no other job does its work and it runs again only tomorrow. as_dagster_failure
# allows retries only of failures that may pass.
_AGAIN_TONIGHT = dg.RetryPolicy(max_retries=3, delay=300, backoff=dg.Backoff.EXPONENTIAL)
_CHANGES = {"config": {"scope": "changes"}}


def build_jobs(site: str, schema: str, prefix: Sequence[str]) -> Sequence[Any]:
    """Return all jobs. Their runs are tagged with the site and its schema. `prefix` begins every asset key."""
    outbox = dg.AssetKey([*prefix, "jwp_updates"])
    a_sync = EVERYTHING | dg.AssetSelection.checks(*(dg.AssetCheckKey(outbox, name) for name in OUTBOX_CHECKS))

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
            a_sync,
            "Read both listings in full, and bring the cache and the platform's own record in step with them.",
        ),
        job(
            FULL_RESYNC,
            a_sync,
            "Read both listings in full, and synchronise every item, even if its `updated` is not newer.",
            retry_policy=_AGAIN_TONIGHT,
            media={"config": {"sync_all": True}},
        ),
        job(
            FREQUENT_SYNC,
            a_sync,
            "Read what changed since the last sync, or everything if the totals do not match.",
            raw_videos=_CHANGES,
            raw_channels=_CHANGES,
        ),
        job(
            ON_EVENTS,
            # There are no events of playlists.
            EVERYTHING - dg.AssetSelection.assets([*prefix, "raw_channels"]),
            "Look at the keys of the events that JW Platform reported, and follow what has happened to them.",
            raw_videos={"config": {"scope": "events"}},
            cached_resources={"config": {"channels": False}},
            # It would ask JW Platform about other items every few seconds.
            items_play={"config": {"ask_jwp": False}},
        ),
        job(
            MEDIA_SYNC,
            dg.AssetSelection.groups("media"),
            "Bring the platform's own record in step with the cache, without reading the listings.",
        ),
        job(
            PUSH,
            dg.AssetSelection.groups("outbox"),
            "Push edits of media items, and new items, to JW Platform.",
        ),
        job(
            HISTORY,
            dg.AssetSelection.groups("history"),
            "Compute days of the library's past (partitions of library_history) from the change log, and then draw "
            "library_report again.",
        ),
    ]
