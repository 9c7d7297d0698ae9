"""Bring cached_resources in step with the newest snapshot of a type that is not applied yet.

One writer at a time (an advisory lock), one transaction for cache, change log, problems and the books; the
guard acts inside it, before commit. Not here: reading listings (landing.py), the media side (media/).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Engine, text

from jwp_pipeline.database.connection import WRITER_LOCK, advisory_lock, connect
from jwp_pipeline.database.problems import create_found_problems, open_problems, record_problems
from jwp_pipeline.database.sql import statement
from jwp_pipeline.database.tables import CachedResource
from jwp_pipeline.database.upkeep import is_much, vacuum, without_gin_indexes
from jwp_pipeline.errors import SnapshotQuarantined
from jwp_pipeline.jwplatform.management import ManagementClient, ResourceType
from jwp_pipeline.mirror import confirm, snapshots
from jwp_pipeline.mirror.landing import read_listing
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline.mirror.plan import Plan, describe, prepare, spare
from jwp_pipeline.mirror.snapshots import Snapshot

# A second sync waits this long for the first to finish applying before it gives up, seconds.
_LOCK_PATIENCE = 60.0
_WRITTEN = ("cached_resources", "resource_changes")


@dataclass(frozen=True, slots=True)
class Release:
    """Somebody's word that a quarantined snapshot may pass the guard, once."""

    snapshot_id: int
    by: str
    """Who said so, for the books."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of one type: the plan that was carried out, or None when there was nothing to apply."""

    resource_type: ResourceType
    plan: Plan | None
    live: int
    """Live rows afterwards."""
    listed: int | None
    """Distinct keys of the last applied snapshot, when that was a complete full one."""
    open_problems: int
    seconds: float
    """Wall-clock of planning, confirming and applying."""
    dry_run: bool = False
    refusal: str | None = None
    """Why the guard refused the plan, or, of a dry run, would refuse it."""


def apply_newest(
    engine: Engine,
    resource_type: ResourceType,
    *,
    options: MirrorOptions,
    client: ManagementClient | None,
    run_id: str | None = None,
    dry_run: bool = False,
    release: Release | None = None,
) -> Applied:
    """Apply the newest unapplied snapshot of a type, or say that there is none. Twice is a no-op.

    `client` confirms deletions; without one nothing is deleted. `dry_run` stops before the first write. `release`
    names the snapshot to apply instead, past the guard.
    Raises SnapshotQuarantined (nothing was changed), NothingToRelease, SyncInProgress, JWPlatformError.
    """
    started = time.monotonic()
    with connect(engine) as connection, advisory_lock(connection, WRITER_LOCK, patience=_LOCK_PATIENCE):
        with connection.begin():
            snapshot = (
                snapshots.releasable(connection, release.snapshot_id)
                if release
                else snapshots.pending(connection, resource_type)
            )
            if snapshot is None:
                return _outcome(connection, resource_type, started, plan=None)
            if snapshot.status == "quarantined" and not dry_run and not release:
                raise _quarantined(snapshot.id, resource_type, snapshot.problem)
            candidates = prepare(connection, snapshot, options)

        second_look = _SecondLook(engine, connection, client, options, run_id)
        snapshot, spared = second_look.confirm(snapshot, candidates)
        with connection.begin():
            plan = describe(connection, snapshot, spared=len(spared))
            refusal = None if release else plan.refusal(options)
            if dry_run:
                return _outcome(connection, resource_type, started, plan=plan, dry_run=True, refusal=refusal)
            if refusal is None:
                execute(connection, snapshot, plan, options)
                if release:
                    snapshots.mark_released(connection, snapshot.id, by=release.by)
                snapshots.prune(connection, resource_type, options.snapshot_retention)
            else:
                snapshots.quarantine(connection, snapshot.id, refusal, spared)
            outcome = _outcome(connection, resource_type, started, plan=plan, refusal=refusal)
    if refusal is not None:
        raise _quarantined(snapshot.id, resource_type, refusal, outcome)
    if is_much(plan.rows, outcome.live):
        vacuum(engine, _WRITTEN)
    return replace(outcome, seconds=time.monotonic() - started)


def execute(connection: Connection, snapshot: Snapshot, plan: Plan, options: MirrorOptions) -> None:
    """Carry out the prepared plan and enter it in the books, in the caller's transaction, under the apply lock."""
    with without_gin_indexes(connection, CachedResource, rows=plan.added):
        connection.execute(
            statement("jwp_pipeline.mirror", "apply_plan"),
            {
                "snapshot_id": snapshot.id,
                "resource_type": snapshot.resource_type,
                "volatile_fields": list(options.volatile_fields),
            },
        )
    create_found_problems(connection)
    connection.execute(statement("jwp_pipeline.mirror", "found_problems"), {"snapshot_id": snapshot.id})
    complete = snapshots.may_delete(snapshot)
    if not complete:
        connection.execute(statement("jwp_pipeline.mirror", "looked_at"), {"snapshot_id": snapshot.id})
    record_problems(connection, "cache", snapshot.resource_type, complete=complete)
    snapshots.mark_applied(connection, snapshot.id)
    connection.execute(text("DROP TABLE pg_temp.plan"))


@dataclass(frozen=True, slots=True)
class _SecondLook:
    """Settles which of the missing are deleted; leaves the temporary table `plan` with those only."""

    engine: Engine
    connection: Connection
    client: ManagementClient | None
    options: MirrorOptions
    run_id: str | None

    def confirm(self, snapshot: Snapshot, candidates: Sequence[str]) -> tuple[Snapshot, Sequence[str]]:
        """The snapshot to go on with, and the keys that it misses but that are not to be deleted."""
        if not candidates:
            return snapshot, []
        if snapshot.spared_keys is not None:
            spared = snapshot.spared_keys
        elif self.client is None:
            spared = candidates
        elif confirm.worth_listing_again(candidates, snapshot.page_count):
            return self._list_again(self.client, snapshot.resource_type, candidates)
        else:
            with self.connection.begin():
                unusable = snapshots.count_unusable(self.connection, snapshot.id)
            spared = confirm.still_there(self.client, snapshot.resource_type, candidates, unreadable=unusable)
        with self.connection.begin():
            spare(self.connection, spared)
        return snapshot, spared

    def _list_again(
        self, client: ManagementClient, resource_type: ResourceType, candidates: Sequence[str]
    ) -> tuple[Snapshot, Sequence[str]]:
        """Go on with a newer listing; deleted is what neither holds."""
        listing = read_listing(self.engine, client, resource_type, run_id=self.run_id)
        with self.connection.begin():
            newer = snapshots.snapshot(self.connection, listing.snapshot_id)
            assert newer is not None  # noqa: S101 - it was entered a moment ago
            missing = set(prepare(self.connection, newer, self.options))
            unusable = snapshots.count_unusable(self.connection, newer.id)
        spared = sorted(missing.difference(candidates)) if listing.verified else candidates
        if unusable:
            # Among the elements without a key may be what both listings miss: only asking tells.
            in_neither = sorted(missing.intersection(candidates))
            spared = [*spared, *confirm.still_there(client, resource_type, in_neither, unreadable=unusable)]
        with self.connection.begin():
            spare(self.connection, spared)
        return newer, spared


def _outcome(
    connection: Connection,
    resource_type: ResourceType,
    started: float,
    *,
    plan: Plan | None,
    dry_run: bool = False,
    refusal: str | None = None,
) -> Applied:
    live = connection.scalar(
        text("SELECT count(*) FROM cached_resources WHERE type = :type AND deleted_at IS NULL"),
        {"type": resource_type},
    )
    last = snapshots.last_applied(connection, resource_type)
    return Applied(
        resource_type,
        plan,
        live=int(live or 0),
        listed=last.key_count if last and snapshots.may_delete(last) else None,
        open_problems=open_problems(connection, "cache", resource_type),
        seconds=time.monotonic() - started,
        dry_run=dry_run,
        refusal=refusal,
    )


def _quarantined(
    snapshot_id: int, resource_type: ResourceType, refusal: str | None, outcome: Applied | None = None
) -> SnapshotQuarantined:
    return SnapshotQuarantined(
        f"The guard refused snapshot {snapshot_id} of {resource_type}s: {refusal}. Nothing was changed. "
        f"Look at it with `jwpfetch --skip-fetch --dry-run`; if JW Platform really is like that, apply it once with "
        f"`jwpfetch --release {snapshot_id}`; if not, the next good listing simply works.",
        snapshot_id,
        outcome,
    )
