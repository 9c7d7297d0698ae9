"""Records what the guard stopped: refused snapshots, sets of withheld deletions, and their release.

A release is for a stored set of keys: those that were missing when people were notified. Put here what records or looks
up such sets; guard.py decides whether to stop anything, and plan.py what a release does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, case, func, or_, select, update

from jwp_pipeline.database.sql import statement
from jwp_pipeline.database.tables import RawSnapshot
from jwp_pipeline.errors import NothingToRelease
from jwp_pipeline.jwplatform.management import ResourceType
from jwp_pipeline.mirror.snapshots import UNAPPLIED_KEPT, Snapshot, may_delete, require_pages, snapshot


def refuse(connection: Connection, snapshot: Snapshot, problem: str) -> None:
    """Put a snapshot in quarantine, where it stays until it is released or a newer one is read.

    The deletions in the prepared plan are stored, so that a release can carry out exactly these.
    """
    _store_missing(connection, snapshot, deletes=may_delete(snapshot))
    connection.execute(
        update(RawSnapshot).where(RawSnapshot.id == snapshot.id).values(status="quarantined", problem=problem)
    )


def withhold(connection: Connection, snapshot: Snapshot, missing: int) -> None:
    """Record that the deletions in the prepared plan are withheld while the rest of the snapshot is applied.

    A release is for a stored set of keys. If an earlier set that has not been released covers everything that is
    missing now, it remains the one to release, so that people are notified of each set only once.
    """
    connection.execute(update(RawSnapshot).where(RawSnapshot.id == snapshot.id).values(withheld=missing))
    known = withheld_set(connection, snapshot.resource_type)
    covered = known is not None and connection.scalar(
        statement("jwp_pipeline.mirror", "is_covered"), {"snapshot_id": known}
    )
    if not covered:
        _store_missing(connection, snapshot, deletes=True)


def _store_missing(connection: Connection, snapshot: Snapshot, *, deletes: bool) -> None:
    """Store the missing keys in the prepared plan, and drop old sets, because each may be as large as the library.

    The newest sets are kept, and so is the withheld set that can be released, however many refusals came after it.
    """
    parameters = {"snapshot_id": snapshot.id, "deletes": deletes}
    connection.execute(statement("jwp_pipeline.mirror", "keep_withheld"), parameters)
    sets = select(RawSnapshot.id).where(
        RawSnapshot.resource_type == snapshot.resource_type, RawSnapshot.withheld_keys.is_not(None)
    )
    old = list(connection.scalars(sets.order_by(RawSnapshot.id.desc()).offset(UNAPPLIED_KEPT)))
    dropped = set(old) - {withheld_set(connection, snapshot.resource_type)}
    connection.execute(update(RawSnapshot).where(RawSnapshot.id.in_(dropped)).values(withheld_keys=None))


def withheld_set(connection: Connection, resource_type: ResourceType) -> int | None:
    """Return the snapshot whose withheld deletions can be released: the newest applied one that has any."""
    found: int | None = connection.scalar(
        select(func.max(RawSnapshot.id)).where(
            RawSnapshot.resource_type == resource_type,
            RawSnapshot.applied_at.is_not(None),
            RawSnapshot.withheld_keys.is_not(None),
            RawSnapshot.released_at.is_(None),
        )
    )
    return found


@dataclass(frozen=True, slots=True)
class Releasable:
    """A snapshot that can be released."""

    snapshot: Snapshot
    is_whole: bool
    """Whether the release applies the whole snapshot. It carries out only the deletions if the rest has been applied
    already, or if a newer snapshot has been applied since."""


def releasable(connection: Connection, snapshot_id: int) -> Releasable:
    """Find a snapshot to release. Raises NothingToRelease if it withholds nothing or can no longer be released."""
    row = snapshot(connection, snapshot_id)
    if row is None:
        raise NothingToRelease(f"There is no snapshot {snapshot_id}. Table raw_snapshots lists them.")
    if row.released_at is not None:
        raise NothingToRelease(
            f"Snapshot {snapshot_id} has been released already, at {row.released_at:%Y-%m-%d %H:%M:%S} UTC by "
            f"{row.released_by}."
        )
    is_whole = row.status == "quarantined" and not _newer_applied(connection, row)
    if is_whole:
        require_pages(connection, row)
    if row.withheld_keys is None:
        raise NothingToRelease(
            f"Snapshot {snapshot_id} is {row.status} and withholds nothing, so there is nothing to release. "
            "`jwpfetch --status` names the snapshots that wait to be released."
        )
    return Releasable(row, is_whole)


def _newer_applied(connection: Connection, snapshot: Snapshot) -> bool:
    newer = select(RawSnapshot.id).where(
        RawSnapshot.resource_type == snapshot.resource_type,
        RawSnapshot.applied_at > snapshot.finished_at,
        # A look at single keys does not replace a listing.
        RawSnapshot.scope != "keys",
    )
    return connection.scalar(newer.limit(1)) is not None


def mark_released(connection: Connection, release: Releasable, *, by: str) -> None:
    """Record who released a snapshot, in the transaction that carries it out, so that it is released only once."""
    values: dict[str, Any] = {"released_at": func.now(), "released_by": by}
    if release.is_whole:
        # Only a full listing can be complete, and other reads that may have missed something are not refused.
        whole = or_(RawSnapshot.complete, RawSnapshot.scope != "full")
        values |= {"status": case((whole, "verified"), else_="incomplete"), "problem": None}
    connection.execute(update(RawSnapshot).where(RawSnapshot.id == release.snapshot.id).values(**values))
    # Whether anything is still withheld is for the next sync to say, which judges what is left.
    connection.execute(
        update(RawSnapshot)
        .where(RawSnapshot.resource_type == release.snapshot.resource_type, RawSnapshot.withheld > 0)
        .values(withheld=0)
    )
