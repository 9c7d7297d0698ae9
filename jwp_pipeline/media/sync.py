"""Brings media items, channels and playlists in step with the cache, with set-based SQL in one transaction.

An asset may also be brought in step alone, in its own transaction; the link table that it depends on is then brought in
step with it. Put here which steps a sync takes, and in which order.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, Engine, text

from jwp_pipeline.database.connection import WRITER_LOCK, advisory_lock, connect
from jwp_pipeline.database.leases import Lease
from jwp_pipeline.database.transactions import in_transaction
from jwp_pipeline.database.upkeep import vacuum
from jwp_pipeline.database.write_back import mark_as_pipeline, record_edits
from jwp_pipeline.jwplatform.management import ManagementClient
from jwp_pipeline.media.members import ask_members
from jwp_pipeline.media.options import MediaOptions
from jwp_pipeline.media.report import (
    MEDIA_ASSETS,
    NONE_BECAME_PUBLIC,
    Counts,
    MediaAsset,
    MediaReport,
    Violations,
)
from jwp_pipeline.media.steps import Steps
from jwp_pipeline.media.unmoved import remember, take_notes, unmoved

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
            done = in_transaction(connection, lambda: _follow(connection, assets, options), lease=lease)
    if done.steps:
        vacuum(engine, done.steps.written_much)
    return MediaReport(
        counts={asset: counts for asset, counts in done.counts.items() if asset in assets},
        looked_at=done.steps.looked_at if done.steps else 0,
        members_asked=members_asked,
        became_public=done.steps.became_public if done.steps else NONE_BECAME_PUBLIC,
        open_problems=done.open_problems,
        seconds=time.monotonic() - started,
        followed_at=done.followed_at,
        looked=done.steps is not None,
        known_violations=done.violations,
    )


class _Done(NamedTuple):
    """What a sync did, or found to be done already."""

    counts: dict[MediaAsset, Counts]
    open_problems: dict[str, int]
    """The number of open problems of each field."""
    followed_at: datetime | None
    steps: Steps | None = None
    """The steps that were taken; None if nothing was written since the last sync of everything."""
    violations: dict[str, Violations] | None = None


def _follow(connection: Connection, assets: Collection[MediaAsset], options: MediaOptions) -> _Done:
    """Take the steps in the caller's transaction, unless nothing was written since the last sync of everything."""
    _prepare(connection, options)
    if set(assets) != set(MEDIA_ASSETS):
        # What this writes is noted like the writes of anybody else, for a sync of everything.
        steps = _take_steps(connection, assets, options)
        return _Done(steps.counts, _open_problems(connection), None, steps)
    if left := unmoved(connection, options):
        return _Done(left.counts, _open_problems(connection), left.since, violations=left.violations)
    was_noted = take_notes(connection)
    steps = _take_steps(connection, assets, options)
    followed_at = remember(connection, options, steps.counts, was_noted=was_noted)
    return _Done(steps.counts, _open_problems(connection), followed_at, steps)


def follow_all(connection: Connection, options: MediaOptions) -> None:
    """Bring everything in step in the caller's transaction, whose connection holds the writer lock, as a sync would."""
    _prepare(connection, options)
    _take_steps(connection, MEDIA_ASSETS, options)


def _prepare(connection: Connection, options: MediaOptions) -> None:
    # Let the server sort and hash a large library in memory. The setting ends with the transaction.
    connection.execute(text("SET LOCAL work_mem TO '64MB'"))
    mark_as_pipeline(connection)
    record_edits(connection, on=options.pushes_edits)


def _take_steps(connection: Connection, assets: Collection[MediaAsset], options: MediaOptions) -> Steps:
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
    return steps


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
