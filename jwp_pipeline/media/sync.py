"""Brings media items, channels and playlists in step with the cache, with set-based SQL in one transaction.

An asset may also be brought in step alone, in its own transaction; the link table that it depends on is then brought in
step with it. Put here which steps a sync takes, and in which order.
"""

from __future__ import annotations

import time
from collections.abc import Collection

from sqlalchemy import Connection, Engine, text

from jwp_pipeline.database.connection import WRITER_LOCK, advisory_lock, connect
from jwp_pipeline.database.leases import Lease
from jwp_pipeline.database.transactions import in_transaction
from jwp_pipeline.database.upkeep import vacuum
from jwp_pipeline.database.write_back import mark_as_pipeline, record_edits
from jwp_pipeline.jwplatform.management import ManagementClient
from jwp_pipeline.media.members import ask_members
from jwp_pipeline.media.options import MediaOptions
from jwp_pipeline.media.report import MediaAsset, MediaReport
from jwp_pipeline.media.steps import Steps

# Seconds that a second sync waits for the first one to finish before it gives up.
_LOCK_PATIENCE = 60.0


def sync_media(
    engine: Engine,
    assets: Collection[MediaAsset],
    *,
    options: MediaOptions,
    client: ManagementClient | None,
    lease: Lease | None = None,
) -> MediaReport:
    """Bring `assets` in step with the cache, all in one transaction. A second call changes nothing.

    `client` is asked for the members of v2 playlists that changed; if it is None, the known members stay. `lease` is
    the lease of the run that syncs, if there is one. Raises SyncInProgress, LeaseLost, JWPlatformError, DatabaseError.
    """
    started = time.monotonic()
    with connect(engine) as connection:
        members_asked = ask_members(connection, options, client) if client and _needs_channels(assets) else 0
        with advisory_lock(connection, WRITER_LOCK, patience=_LOCK_PATIENCE):
            steps, still_open = in_transaction(
                connection, lambda: _take_steps(connection, assets, options), lease=lease
            )
    vacuum(engine, steps.written_much)
    return MediaReport(
        counts={asset: counts for asset, counts in steps.counts.items() if asset in assets},
        looked_at=steps.looked_at,
        members_asked=members_asked,
        became_public=steps.became_public,
        open_problems=still_open,
        seconds=time.monotonic() - started,
    )


def _take_steps(
    connection: Connection, assets: Collection[MediaAsset], options: MediaOptions
) -> tuple[Steps, dict[str, int]]:
    """Take the steps in the caller's transaction. Returns them, and the number of open problems of each field."""
    # Let the server sort and hash a large library in memory. The setting ends with the transaction.
    connection.execute(text("SET LOCAL work_mem TO '64MB'"))
    mark_as_pipeline(connection)
    record_edits(connection, on=options.pushes_edits)
    steps = Steps(connection, options, with_items="media_items" in assets, with_channels=_needs_members(assets))
    if {"videos", "media_items"} & set(assets):
        steps.videos()
    if _needs_channels(assets):
        steps.channels()
    if _needs_members(assets):
        steps.media_channels()
    if "media_items" in assets:
        steps.media_items()
    if _needs_members(assets):
        steps.members(playlists="playlists" in assets)
    return steps, _open_problems(connection)


def _needs_channels(assets: Collection[MediaAsset]) -> bool:
    return bool({"channels", "media_channels", "playlists"} & set(assets))


def _needs_members(assets: Collection[MediaAsset]) -> bool:
    return bool({"media_channels", "playlists"} & set(assets))


def _open_problems(connection: Connection) -> dict[str, int]:
    rows = connection.execute(
        text(
            "SELECT field, count(*) AS still_open FROM sync_problems WHERE resolved_at IS NULL AND stage <> 'cache'"
            " GROUP BY field ORDER BY still_open DESC, field"
        )
    )
    return {row.field: int(row.still_open) for row in rows}
