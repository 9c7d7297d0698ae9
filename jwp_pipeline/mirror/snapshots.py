"""Keeps the records of raw snapshots: opens and closes them, chooses which to apply, and prunes them.

Every function works on the connection that it is given and never commits. Put here what reads or changes raw_snapshots
and raw_pages as a whole; releases.py keeps what the guard stopped, landing.py reads JW Platform, and plan.py compares
snapshots with the cache.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal, get_args

from sqlalchemy import Connection, Row, ScalarSelect, and_, case, func, insert, or_, select, text, update

from jwp_pipeline.database.sql import statement
from jwp_pipeline.database.tables import RawPage, RawSnapshot
from jwp_pipeline.errors import NothingToRelease
from jwp_pipeline.jwplatform.management import ResourceType
from jwp_pipeline.jwplatform.shapes import Origin
from jwp_pipeline.mirror import slots

Status = Literal["running", "verified", "incomplete", "quarantined", "failed"]
Scope = Literal["full", "incremental", "keys"]
"""What was read: everything, what changed, or single keys (looks.py)."""
Snapshot = Row[Any]

_table = RawSnapshot.__table__
_READ = ("verified", "incomplete", "quarantined")
# A look at single keys says nothing about the whole library, so it never counts as a listing.
_of_listing = RawSnapshot.scope != "keys"
# Listings that are refused, or read for a dry run, must not fill the disk until somebody looks.
UNAPPLIED_KEPT = 3


def close_abandoned(connection: Connection, resource_type: ResourceType) -> None:
    """Mark running snapshots as failed. The caller holds the listing lock, so the process that read them has died."""
    abandoned = connection.scalars(
        update(RawSnapshot)
        .where(RawSnapshot.resource_type == resource_type, RawSnapshot.status == "running")
        .values(status="failed", finished_at=func.clock_timestamp(), problem="the process that read it ended")
        .returning(RawSnapshot.id)
    )
    slots.drop_pages(connection, select(RawSnapshot.id).where(RawSnapshot.id.in_(abandoned.all())))


def open_snapshot(
    connection: Connection,
    resource_type: ResourceType,
    origin: Origin,
    *,
    run_id: str | None = None,
    scope: Scope = "full",
) -> int:
    """Record a new running snapshot and return its id. Pages of old snapshots that were never applied are dropped."""
    _prune_unapplied(connection, resource_type)
    row = connection.execute(
        insert(RawSnapshot)
        .values(resource_type=resource_type, api_version=origin, dagster_run_id=run_id, scope=scope)
        .returning(RawSnapshot.id)
    )
    snapshot_id = int(row.scalar_one())
    # Callers of `set_resources` decide when their transaction ends, so nobody shall wait for their slots.
    if scope == "full" and origin != "local":
        slots.take(connection, snapshot_id)
    return snapshot_id


def count_keys(connection: Connection, snapshot_id: int) -> int:
    """Return the number of distinct usable keys in a snapshot."""
    distinct = text(
        "SELECT count(key) FROM"
        " (SELECT DISTINCT unnest(keys) AS key FROM raw_pages WHERE snapshot_id = :snapshot_id) AS listed"
    )
    return int(connection.scalar(distinct, {"snapshot_id": snapshot_id}) or 0)


def same_keys(connection: Connection, one: int, other: int) -> bool:
    """Whether two snapshots hold the same keys, each equally often."""
    apart = connection.scalar(statement("jwp_pipeline.mirror", "keys_apart"), {"one": one, "other": other})
    return not apart


def close_snapshot(
    connection: Connection,
    snapshot_id: int,
    status: Status,
    problem: str | None,
    *,
    counts: Mapping[str, int] = MappingProxyType({}),
    newest_change: datetime | None = None,
) -> None:
    """Record how the read ended. `counts` gives values by column name."""
    connection.execute(
        update(RawSnapshot)
        .where(RawSnapshot.id == snapshot_id)
        .values(
            status=status,
            complete=case((RawSnapshot.scope == "full", status == "verified"), else_=False),
            problem=problem,
            newest_change=newest_change,
            finished_at=func.clock_timestamp(),
            **counts,
        )
    )


def enter_absent(connection: Connection, snapshot_id: int, keys: Sequence[str]) -> None:
    """Record the keys that JW Platform does not have, of those that were asked for."""
    connection.execute(update(RawSnapshot).where(RawSnapshot.id == snapshot_id).values(absent_keys=list(keys)))


def snapshot(connection: Connection, snapshot_id: int) -> Snapshot | None:
    """Return the row of a snapshot, or None if there is none."""
    return connection.execute(select(_table).where(RawSnapshot.id == snapshot_id)).one_or_none()


def pending(connection: Connection, resource_type: ResourceType) -> Snapshot | None:
    """Return the listing to apply next, which is the newest one that was read to its end, completely or in part.

    Returns None if that one has already been applied. A quarantined snapshot is returned as well, because nothing is
    applied until it is released or a newer one is read.
    """
    last_applied = (
        select(func.coalesce(func.max(RawSnapshot.id), 0))
        .where(RawSnapshot.resource_type == resource_type, RawSnapshot.applied_at.is_not(None), _of_listing)
        .scalar_subquery()
    )
    return connection.execute(
        select(_table)
        .where(
            RawSnapshot.resource_type == resource_type,
            RawSnapshot.id > last_applied,
            RawSnapshot.status.in_(_READ),
            _of_listing,
        )
        .order_by(RawSnapshot.id.desc())
        .limit(1)
    ).one_or_none()


def look_of_run(connection: Connection, resource_type: ResourceType, run_id: str) -> Snapshot | None:
    """Return the newest read of single keys that a run has made and not applied yet, or None."""
    return connection.execute(
        select(_table)
        .where(
            RawSnapshot.resource_type == resource_type,
            RawSnapshot.scope == "keys",
            RawSnapshot.dagster_run_id == run_id,
            RawSnapshot.applied_at.is_(None),
            RawSnapshot.status.in_(_READ),
        )
        .order_by(RawSnapshot.id.desc())
        .limit(1)
    ).one_or_none()


def last_applied(connection: Connection, resource_type: ResourceType) -> Snapshot | None:
    """Return the snapshot that was applied last, or None.

    It is not always the one with the greatest id: a look may be read and applied while a listing waits.
    """
    return connection.execute(
        select(_table)
        .where(RawSnapshot.resource_type == resource_type, RawSnapshot.applied_at.is_not(None))
        .order_by(RawSnapshot.applied_at.desc(), RawSnapshot.id.desc())
        .limit(1)
    ).one_or_none()


def watermark(connection: Connection, resource_type: ResourceType) -> datetime | None:
    """Return the time up to which the cache holds all changes; None before a complete listing has been applied.

    Reads that may have missed changes do not count. The time is never later than the start of the read, so that a stamp
    in the future cannot hide later changes.
    """
    whole = or_(RawSnapshot.complete, and_(RawSnapshot.scope == "incremental", RawSnapshot.status == "verified"))
    known: datetime | None = connection.scalar(
        select(func.max(func.least(RawSnapshot.newest_change, RawSnapshot.started_at))).where(
            RawSnapshot.resource_type == resource_type,
            RawSnapshot.applied_at.is_not(None),
            # Otherwise `least` would return the start of a read that saw no stamp.
            RawSnapshot.newest_change.is_not(None),
            whole,
        )
    )
    return known


def newest_read(connection: Connection, resource_type: ResourceType) -> datetime | None:
    """Return the newest change stamp in any snapshot that was applied, looks at single keys included."""
    newest: datetime | None = connection.scalar(
        select(func.max(RawSnapshot.newest_change)).where(
            RawSnapshot.resource_type == resource_type, RawSnapshot.applied_at.is_not(None)
        )
    )
    return newest


def unkept(connection: Connection, resource_type: ResourceType) -> int:
    """Return how many elements of the last complete listing have no row: unusable ones and repeated keys."""
    counted: int | None = connection.scalar(
        select(RawSnapshot.resource_count - RawSnapshot.key_count)
        .where(RawSnapshot.resource_type == resource_type, RawSnapshot.applied_at.is_not(None), RawSnapshot.complete)
        .order_by(RawSnapshot.id.desc())
        .limit(1)
    )
    return counted or 0


def may_delete(snapshot: Snapshot) -> bool:
    """Whether resources that a snapshot does not contain may be deleted: only if it is a complete full listing."""
    return bool(snapshot.complete and snapshot.scope == "full")


def require_pages(connection: Connection, snapshot: Snapshot) -> None:
    """Raise NothingToRelease if some pages of a snapshot have been dropped."""
    if not _has_pages(connection, snapshot):
        raise NothingToRelease(
            f"The pages of snapshot {snapshot.id} are gone, because newer ones have been read since. "
            "Look at the newest one with `jwpfetch --skip-fetch --dry-run`, and release that."
        )


def require_newest_listing(connection: Connection, released: Snapshot) -> None:
    """Raise NothingToRelease if a complete listing is newer than a snapshot, and its pages have been dropped."""
    newest = snapshot(connection, connection.scalar(select(_newest_complete(released.resource_type))) or 0)
    if newest is not None and newest.id > released.id and not _has_pages(connection, newest):
        raise NothingToRelease(
            f"The pages of snapshot {newest.id}, the newest complete listing, are gone. So nobody can tell which of "
            f"the withheld {released.resource_type}s it still misses, and nothing was deleted. Read a new listing with "
            "`jwpfetch`, and release the snapshot then."
        )


def _has_pages(connection: Connection, snapshot: Snapshot) -> bool:
    pages = connection.scalar(select(func.count()).where(RawPage.snapshot_id == snapshot.id))
    return bool(pages == snapshot.page_count)


def _newest_complete(resource_type: ResourceType) -> ScalarSelect[int]:
    return (
        select(func.coalesce(func.max(RawSnapshot.id), 0))
        .where(RawSnapshot.resource_type == resource_type, RawSnapshot.complete)
        .scalar_subquery()
    )


def mark_applied(connection: Connection, snapshot_id: int) -> None:
    """Record that the snapshot has been applied to the cache."""
    connection.execute(update(RawSnapshot).where(RawSnapshot.id == snapshot_id).values(applied_at=func.now()))


def prune(connection: Connection, resource_type: ResourceType, retention: int) -> None:
    """Drop the pages of old snapshots. Their rows stay as a record of the reads.

    The pages of the last `retention` applied snapshots of each scope are kept, and those of all snapshots that are
    newer than the last applied listing. So are those of the newest complete listing, even if the guard refused it,
    because a release deletes nothing that it contains.
    """
    applied = select(RawSnapshot.id).where(
        RawSnapshot.resource_type == resource_type, RawSnapshot.applied_at.is_not(None)
    )
    kept = {
        scope: connection.scalars(
            applied.where(RawSnapshot.scope == scope).order_by(RawSnapshot.id.desc()).limit(retention)
        ).all()
        for scope in get_args(Scope)
    }
    listings = [*kept["full"], *kept["incremental"]]
    if not listings:
        return
    old = select(RawSnapshot.id).where(
        RawSnapshot.resource_type == resource_type,
        RawSnapshot.id < max(listings),
        RawSnapshot.id.not_in([*listings, *kept["keys"]]),
        RawSnapshot.id != _newest_complete(resource_type),
    )
    slots.drop_pages(connection, old)


def _prune_unapplied(connection: Connection, resource_type: ResourceType) -> None:
    unapplied = select(RawSnapshot.id).where(
        RawSnapshot.resource_type == resource_type, RawSnapshot.applied_at.is_(None), RawSnapshot.status.in_(_READ)
    )
    # Quarantined and other snapshots are counted separately, because a refused sync leaves both kinds. So are looks at
    # single keys, which only their own run applies.
    quarantined = RawSnapshot.status == "quarantined"
    for alike in (quarantined, and_(~quarantined, _of_listing), and_(~quarantined, ~_of_listing)):
        old = unapplied.where(alike).order_by(RawSnapshot.id.desc()).offset(UNAPPLIED_KEPT)
        dropped = select(RawSnapshot.id).where(
            RawSnapshot.id.in_(old), RawSnapshot.id != _newest_complete(resource_type)
        )
        slots.drop_pages(connection, dropped)
