"""What the guard stopped, on record: refused snapshots, sets of withheld deletions, and their release.

A release names a set of keys: those that were missing when somebody was told about them. Put here what records or
looks up such sets; whether the guard stops anything is decided in guard.py, and what a release does in plan.py.
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
    """Put a snapshot in quarantine: it stays as it is until it is released or a newer one is read.

    What it would have deleted, of the prepared plan, is kept as the set that a release is for.
    """
    connection.execute(
        statement("jwp_pipeline.mirror", "keep_withheld"),
        {"snapshot_id": snapshot.id, "deletes": may_delete(snapshot)},
    )
    connection.execute(
        update(RawSnapshot).where(RawSnapshot.id == snapshot.id).values(status="quarantined", problem=problem)
    )


def withhold(connection: Connection, snapshot: Snapshot, missing: int) -> None:
    """Enter that deletions of the prepared plan are withheld while the rest of the snapshot is applied.

    A release names a set of keys. While an earlier set that waits to be released covers what is missing now, that set
    stays the one to be released, so that people are told of each set once.
    """
    connection.execute(update(RawSnapshot).where(RawSnapshot.id == snapshot.id).values(withheld=missing))
    known = withheld_set(connection, snapshot.resource_type)
    covered = known is not None and connection.scalar(
        statement("jwp_pipeline.mirror", "is_covered"), {"snapshot_id": known}
    )
    if not covered:
        parameters = {"snapshot_id": snapshot.id, "deletes": True}
        connection.execute(statement("jwp_pipeline.mirror", "keep_withheld"), parameters)


def withheld_set(connection: Connection, resource_type: ResourceType) -> int | None:
    """The snapshot whose set of withheld deletions waits to be released: the newest applied one that has such a set."""
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
    """A snapshot that somebody wants to let past the guard."""

    snapshot: Snapshot
    is_whole: bool
    """Whether all of it is applied. Else it was applied but for its deletions, or a newer one has been applied since:
    then only the deletions are released."""


def releasable(connection: Connection, snapshot_id: int) -> Releasable:
    """Look a snapshot up for release. Raises NothingToRelease when it withholds nothing, or cannot be released."""
    row = snapshot(connection, snapshot_id)
    if row is None:
        raise NothingToRelease(f"There is no snapshot {snapshot_id}. Table raw_snapshots lists them.")
    if row.released_at is not None:
        raise NothingToRelease(
            f"Snapshot {snapshot_id} has been released already, at {row.released_at:%Y-%m-%d %H:%M:%S} UTC by "
            f"{row.released_by}."
        )
    if row.withheld_keys is None:
        raise NothingToRelease(
            f"Snapshot {snapshot_id} is {row.status} and withholds nothing, so there is nothing to release. "
            "`jwpfetch --status` names the snapshots that wait to be released."
        )
    is_whole = row.status == "quarantined" and not _newer_applied(connection, row)
    if is_whole:
        require_pages(connection, row)
    return Releasable(row, is_whole)


def _newer_applied(connection: Connection, snapshot: Snapshot) -> bool:
    newer = select(RawSnapshot.id).where(
        RawSnapshot.resource_type == snapshot.resource_type, RawSnapshot.applied_at > snapshot.finished_at
    )
    return connection.scalar(newer.limit(1)) is not None


def mark_released(connection: Connection, release: Releasable, *, by: str) -> None:
    """Enter who released a snapshot, in the transaction that carries it out: it is released once."""
    values: dict[str, Any] = {"released_at": func.now(), "released_by": by}
    if release.is_whole:
        # A read of changes is never complete, and one that may have missed some is not refused.
        whole = or_(RawSnapshot.complete, RawSnapshot.scope == "incremental")
        values |= {"status": case((whole, "verified"), else_="incomplete"), "problem": None}
    connection.execute(update(RawSnapshot).where(RawSnapshot.id == release.snapshot.id).values(**values))
    # Whether anything is still withheld is for the next sync to say, which judges what is left.
    connection.execute(
        update(RawSnapshot)
        .where(RawSnapshot.resource_type == release.snapshot.resource_type, RawSnapshot.withheld > 0)
        .values(withheld=0)
    )


def prune_withheld(connection: Connection, resource_type: ResourceType) -> None:
    """Forget the keys of all but the newest sets of withheld deletions; each may be as large as the library."""
    sets = select(RawSnapshot.id).where(
        RawSnapshot.resource_type == resource_type, RawSnapshot.withheld_keys.is_not(None)
    )
    old = sets.order_by(RawSnapshot.id.desc()).offset(UNAPPLIED_KEPT)
    connection.execute(update(RawSnapshot).where(RawSnapshot.id.in_(old)).values(withheld_keys=None))
