"""The records of raw snapshots: opened, judged, chosen for applying, refused, released, pruned.

Everything here works on a connection that it is given and never commits. Put here what changes or asks the tables
raw_snapshots and raw_pages as a whole; reading JW Platform is in landing.py, comparing with the cache in plan.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

from sqlalchemy import Connection, Row, and_, case, delete, func, insert, or_, select, text, update

from jwp_pipeline.database.sql import statement
from jwp_pipeline.database.tables import RawPage, RawSnapshot
from jwp_pipeline.errors import NothingToRelease
from jwp_pipeline.jwplatform.management import ResourceType
from jwp_pipeline.mirror.pages import Origin

Status = Literal["running", "verified", "incomplete", "quarantined", "failed"]
Scope = Literal["full", "incremental"]
Snapshot = Row[Any]

_table = RawSnapshot.__table__
_READ = ("verified", "incomplete", "quarantined")
# Listings that are refused, or read for a dry run, must not fill the disk until somebody looks.
UNAPPLIED_KEPT = 3


def close_abandoned(connection: Connection, resource_type: ResourceType) -> None:
    """Enter as failed what is still called running: its process died, since the caller holds the listing lock."""
    abandoned = connection.scalars(
        update(RawSnapshot)
        .where(RawSnapshot.resource_type == resource_type, RawSnapshot.status == "running")
        .values(status="failed", finished_at=func.clock_timestamp(), problem="the process that read it ended")
        .returning(RawSnapshot.id)
    )
    connection.execute(delete(RawPage).where(RawPage.snapshot_id.in_(abandoned.all())))


def open_snapshot(
    connection: Connection,
    resource_type: ResourceType,
    origin: Origin,
    *,
    run_id: str | None = None,
    scope: Scope = "full",
) -> int:
    """Enter a new snapshot as running and return its id; the pages of old ones that were never applied go."""
    _prune_unapplied(connection, resource_type)
    row = connection.execute(
        insert(RawSnapshot)
        .values(resource_type=resource_type, api_version=origin, dagster_run_id=run_id, scope=scope)
        .returning(RawSnapshot.id)
    )
    return int(row.scalar_one())


def count_keys(connection: Connection, snapshot_id: int) -> int:
    """Number of distinct usable keys in a snapshot."""
    distinct = text(
        "SELECT count(DISTINCT entry.key) FROM raw_pages AS page CROSS JOIN LATERAL unnest(page.keys) AS entry (key)"
        " WHERE page.snapshot_id = :snapshot_id"
    )
    return int(connection.scalar(distinct, {"snapshot_id": snapshot_id}) or 0)


def same_keys(connection: Connection, one: int, other: int) -> bool:
    """Whether two snapshots hold the same keys, each as often."""
    apart = connection.scalar(statement("jwp_pipeline.mirror", "keys_apart"), {"one": one, "other": other})
    return not apart


def count_unusable(connection: Connection, snapshot_id: int) -> int:
    """Number of elements in a snapshot that have no usable key."""
    unusable = text(
        "SELECT count(*) FROM raw_pages AS page CROSS JOIN LATERAL unnest(page.keys) AS entry (key)"
        " WHERE page.snapshot_id = :snapshot_id AND entry.key IS NULL"
    )
    return int(connection.scalar(unusable, {"snapshot_id": snapshot_id}) or 0)


def close_snapshot(
    connection: Connection,
    snapshot_id: int,
    status: Status,
    problem: str | None,
    *,
    counts: Mapping[str, int] = MappingProxyType({}),
    newest_change: datetime | None = None,
) -> None:
    """Enter how the read ended; `counts` by column name."""
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


def snapshot(connection: Connection, snapshot_id: int) -> Snapshot | None:
    """One snapshot's row."""
    return connection.execute(select(_table).where(RawSnapshot.id == snapshot_id)).one_or_none()


def pending(connection: Connection, resource_type: ResourceType) -> Snapshot | None:
    """The snapshot to apply next: the newest that was read to its end.

    None when that is applied already. A quarantined one is returned too: it blocks until it is released or a
    newer one is read.
    """
    last_applied = (
        select(func.coalesce(func.max(RawSnapshot.id), 0))
        .where(RawSnapshot.resource_type == resource_type, RawSnapshot.applied_at.is_not(None))
        .scalar_subquery()
    )
    return connection.execute(
        select(_table)
        .where(
            RawSnapshot.resource_type == resource_type,
            RawSnapshot.id > last_applied,
            RawSnapshot.status.in_(_READ),
        )
        .order_by(RawSnapshot.id.desc())
        .limit(1)
    ).one_or_none()


def last_applied(connection: Connection, resource_type: ResourceType) -> Snapshot | None:
    """The snapshot that the cache stands at."""
    return connection.execute(
        select(_table)
        .where(RawSnapshot.resource_type == resource_type, RawSnapshot.applied_at.is_not(None))
        .order_by(RawSnapshot.id.desc())
        .limit(1)
    ).one_or_none()


def watermark(connection: Connection, resource_type: ResourceType) -> datetime | None:
    """The newest change up to which the cache holds them all; None before a complete listing has been applied.

    What may have missed some does not count. Never later than the read that saw it, so that a stamp from the
    future cannot hide what follows.
    """
    whole = or_(RawSnapshot.complete, and_(RawSnapshot.scope == "incremental", RawSnapshot.status == "verified"))
    known: datetime | None = connection.scalar(
        select(func.max(func.least(RawSnapshot.newest_change, RawSnapshot.started_at))).where(
            RawSnapshot.resource_type == resource_type,
            RawSnapshot.applied_at.is_not(None),
            # Else `least` would take the start of a read that saw no stamp.
            RawSnapshot.newest_change.is_not(None),
            whole,
        )
    )
    return known


def unkept(connection: Connection, resource_type: ResourceType) -> int:
    """Elements of the last complete listing that the cache cannot hold as rows: unusable ones, and repeats of a key."""
    counted: int | None = connection.scalar(
        select(RawSnapshot.resource_count - RawSnapshot.key_count)
        .where(RawSnapshot.resource_type == resource_type, RawSnapshot.applied_at.is_not(None), RawSnapshot.complete)
        .order_by(RawSnapshot.id.desc())
        .limit(1)
    )
    return counted or 0


def may_delete(snapshot: Snapshot) -> bool:
    """Whether what a snapshot misses may be deleted: only a full listing that proved complete says so."""
    return bool(snapshot.complete and snapshot.scope == "full")


def require_pages(connection: Connection, snapshot: Snapshot) -> None:
    """Raise NothingToRelease when a snapshot's pages are not all there any more."""
    pages = connection.scalar(select(func.count()).where(RawPage.snapshot_id == snapshot.id))
    if pages != snapshot.page_count:
        raise NothingToRelease(
            f"The pages of snapshot {snapshot.id} are gone, because newer ones have been read since. "
            "Look at the newest one with `jwpfetch --skip-fetch --dry-run`, and release that."
        )


def mark_applied(connection: Connection, snapshot_id: int) -> None:
    """Enter that the cache now holds what the snapshot says."""
    connection.execute(update(RawSnapshot).where(RawSnapshot.id == snapshot_id).values(applied_at=func.now()))


def prune(connection: Connection, resource_type: ResourceType, retention: int) -> int:
    """Drop the pages of snapshots that nobody will look at again; their rows stay as the record of the reads.

    Kept: the last `retention` applied ones of each scope, and whatever is newer than the last applied one.
    """
    applied = select(RawSnapshot.id).where(
        RawSnapshot.resource_type == resource_type, RawSnapshot.applied_at.is_not(None)
    )
    kept = [
        kept_id
        for scope in ("full", "incremental")
        for kept_id in connection.scalars(
            applied.where(RawSnapshot.scope == scope).order_by(RawSnapshot.id.desc()).limit(retention)
        )
    ]
    if not kept:
        return 0
    old = select(RawSnapshot.id).where(
        RawSnapshot.resource_type == resource_type,
        RawSnapshot.id < max(kept),
        RawSnapshot.id.not_in(kept),
    )
    return connection.execute(delete(RawPage).where(RawPage.snapshot_id.in_(old))).rowcount


def _prune_unapplied(connection: Connection, resource_type: ResourceType) -> None:
    unapplied = select(RawSnapshot.id).where(
        RawSnapshot.resource_type == resource_type, RawSnapshot.applied_at.is_(None), RawSnapshot.status.in_(_READ)
    )
    # Apart, since a sync that is refused leaves other reads, too.
    for alike in (RawSnapshot.status == "quarantined", RawSnapshot.status != "quarantined"):
        old = unapplied.where(alike).order_by(RawSnapshot.id.desc()).offset(UNAPPLIED_KEPT)
        connection.execute(delete(RawPage).where(RawPage.snapshot_id.in_(old)))


def drop_pages(connection: Connection, snapshot_id: int) -> None:
    """Drop the pages of a failed read."""
    connection.execute(delete(RawPage).where(RawPage.snapshot_id == snapshot_id))
