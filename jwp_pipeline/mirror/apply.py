"""Brings cached_resources in step with the newest snapshot of a type that has not been applied yet.

An advisory lock allows one writer at a time, and one transaction writes the cache, the change log, the problems and the
records. The guard judges the plan before JW Platform is asked about missing resources, and nothing is written that the
guard does not allow. Put here the order of these steps; each step has its own module (plan.py, guard.py, confirm.py,
snapshots.py, releases.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Engine, text

from jwp_pipeline.database.connection import WRITER_LOCK, advisory_lock, connect
from jwp_pipeline.database.leases import Lease
from jwp_pipeline.database.problems import create_found_problems, open_problems, record_problems
from jwp_pipeline.database.sql import statement
from jwp_pipeline.database.transactions import in_transaction
from jwp_pipeline.database.upkeep import is_much, vacuum, without_gin_indexes
from jwp_pipeline.jwplatform.management import ManagementClient, ResourceType
from jwp_pipeline.mirror import confirm, releases, slots, snapshots
from jwp_pipeline.mirror.guard import ACCEPTED, Verdict, judge
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline.mirror.plan import (
    HEAD_ROWS,
    Plan,
    candidates,
    describe,
    enter_answers,
    listed_keys,
    prepare,
    prepare_release,
)
from jwp_pipeline.mirror.rehearsal import Preview, rehearse
from jwp_pipeline.mirror.releases import Releasable
from jwp_pipeline.mirror.snapshots import Snapshot

Also = Callable[[Connection, int], None]
"""What a caller does in the transaction that applies a snapshot, given the connection and the id of the snapshot."""

# Seconds that a second sync waits for the first one to finish applying before it gives up.
_LOCK_PATIENCE = 60.0
_WRITTEN = ("cached_resources", "resource_changes")
# How many keys of the newest listing may be used to check that JW Platform's 404s can be trusted.
_LISTED_KEYS = 3


@dataclass(frozen=True, slots=True)
class Release:
    """A person's permission for a snapshot to pass the guard, once."""

    snapshot_id: int
    by: str
    """Who gave the permission, for the records."""


@dataclass(frozen=True, slots=True)
class Applied:
    """The outcome for one type: the plan that was carried out, or None if there was nothing to apply."""

    resource_type: ResourceType
    plan: Plan | None
    live: int
    """The number of live rows afterwards."""
    missing: int
    """The number of live rows afterwards that are missing from the newest complete listing."""
    listed: int | None
    """The number of distinct keys in the last applied snapshot, corrected for what newer looks have found. None if that
    snapshot was not a complete full listing."""
    open_problems: int
    never_listed: int = 0
    """The number of live rows afterwards that a push created and that no listing needs to show yet."""
    seconds: float = 0.0
    """The wall-clock time of planning, confirming and applying."""
    dry_run: bool = False
    verdict: Verdict = ACCEPTED
    """The guard's verdict on the plan; in a dry run, the verdict that it would give."""
    snapshot_id: int | None = None
    """The snapshot that can be released: the refused one, or the one whose deletions are withheld."""
    effects: Any = None
    """What the preview of a dry run found; None without one, or if the plan is too large for it."""

    @property
    def refused(self) -> bool:
        """Whether nothing was changed because the guard refused the snapshot."""
        return self.verdict.refusal is not None


def apply_newest(
    engine: Engine,
    resource_type: ResourceType,
    *,
    options: MirrorOptions,
    client: ManagementClient | None,
    dry_run: bool = False,
    release: Release | None = None,
    lease: Lease | None = None,
    run_id: str | None = None,
    also: Also = lambda connection, snapshot_id: None,
    shown: int = HEAD_ROWS,
    preview: Preview | None = None,
) -> Applied:
    """Apply the newest snapshot of a type that has not been applied yet, if there is one.

    If the run `run_id` has looked at single keys, that is applied instead. `also` is called with the connection and the
    id of the snapshot in the transaction that applies it.

    Calling it again changes nothing. `client` is asked about each missing row; without a client nothing is deleted.
    `dry_run` stops before the first write. `release` names a snapshot to let past the guard instead; its withheld
    deletions are then carried out without asking JW Platform. `lease` is the lease of the calling run, if there is one.
    `shown` is the number of changes that the plan shows. `preview` finds out what a dry run's plan would lead to.
    If the guard refuses a snapshot, nothing is changed and the outcome says so; no exception is raised.

    Raises NothingToRelease, SyncInProgress, LeaseLost and DatabaseError.
    """
    started = time.monotonic()
    with connect(engine) as connection, advisory_lock(connection, WRITER_LOCK, patience=_LOCK_PATIENCE):
        work = _Work(connection, resource_type, options, dry_run, lease, run_id, also, shown, preview)
        outcome = work.release(release) if release else work.apply(client)
        slots.empty(connection)
    if (
        outcome.plan
        and not dry_run
        and not outcome.refused
        and is_much(outcome.plan.rows + outcome.plan.reformatted, outcome.live)
    ):
        vacuum(engine, _WRITTEN)
    return replace(outcome, seconds=time.monotonic() - started)


@dataclass(frozen=True, slots=True)
class _Question:
    """A prepared plan, the guard's verdict, and the keys that JW Platform is asked about."""

    snapshot: Snapshot
    plan: Plan
    verdict: Verdict
    keys: Sequence[str]
    """The missing keys, in the order in which JW Platform is asked about them."""
    listed: Sequence[str]
    """A few keys of the listing. One of them must be found before a 404 counts."""


@dataclass(frozen=True, slots=True)
class _Work:
    """One call of apply_newest, which holds the writer lock."""

    connection: Connection
    resource_type: ResourceType
    options: MirrorOptions
    dry_run: bool
    lease: Lease | None
    run_id: str | None
    also: Also
    shown: int
    preview: Preview | None

    def apply(self, client: ManagementClient | None) -> Applied:
        """Plan, judge, confirm and carry out. JW Platform is asked between two transactions."""
        question = in_transaction(self.connection, lambda: self._planned(asks=client is not None))
        if isinstance(question, Applied):
            return question
        keys, listed = question.keys, question.listed
        answers = confirm.ask(client, self.resource_type, keys, listed) if client and keys else confirm.NOT_ASKED
        return in_transaction(self.connection, lambda: self._answered(question, answers), lease=self.lease)

    def _planned(self, *, asks: bool) -> _Question | Applied:
        """Return the plan, its verdict and the keys to ask about, or the outcome if there is nothing to do."""
        look = self.run_id and snapshots.look_of_run(self.connection, self.resource_type, self.run_id)
        snapshot = look or snapshots.pending(self.connection, self.resource_type)
        if snapshot is None:
            return self._outcome(None)
        if snapshot.status == "quarantined" and not self.dry_run:
            return self._outcome(None, Verdict(refusal=snapshot.problem), snapshot.id)
        prepare(self.connection, snapshot, self.options)
        plan = describe(self.connection, snapshot, shown=self.shown)
        verdict = judge(plan, self.options)
        asks = asks and plan.missing > 0 and verdict.may_delete
        keys = candidates(self.connection, snapshot, self.options.confirm_requests) if asks else []
        listed = listed_keys(self.connection, snapshot, _LISTED_KEYS) if keys else []
        if snapshot.scope == "keys" and not listed:
            # Nothing can show that the 404s are to be trusted, and no listing misses the keys.
            keys = []
        return _Question(snapshot, plan, verdict, keys, listed)

    def _answered(self, question: _Question, answers: confirm.Answers) -> Applied:
        """Carry the plan out as far as the guard and the answers allow."""
        snapshot, plan, verdict = question.snapshot, question.plan, question.verdict
        if question.keys:
            enter_answers(self.connection, answers)
            plan = describe(self.connection, snapshot, answers, shown=self.shown)
        if self.dry_run:
            return self._rehearsed(plan, verdict, snapshot)
        if verdict.refusal:
            releases.refuse(self.connection, snapshot, verdict.refusal)
            return self._outcome(plan, verdict, snapshot.id)
        return self._carry_out(snapshot, plan, verdict)

    def release(self, release: Release) -> Applied:
        """Carry out what was withheld or refused, in one transaction."""
        return in_transaction(self.connection, lambda: self._released(release), lease=self.lease)

    def _released(self, release: Release) -> Applied:
        found = releases.releasable(self.connection, release.snapshot_id)
        prepare_release(self.connection, found, self.options)
        plan = describe(self.connection, found.snapshot, shown=self.shown)
        if self.dry_run:
            return self._rehearsed(plan, ACCEPTED, found.snapshot, found)
        releases.mark_released(self.connection, found, by=release.by)
        return self._carry_out(found.snapshot, plan, ACCEPTED, found)

    def _carry_out(
        self, snapshot: Snapshot, plan: Plan, verdict: Verdict, release: Releasable | None = None
    ) -> Applied:
        if verdict.withheld:
            releases.withhold(self.connection, snapshot, plan.missing)
        execute(self.connection, snapshot, plan, self.options, is_read=release is None or release.is_whole)
        self.also(self.connection, snapshot.id)
        snapshots.prune(self.connection, self.resource_type, self.options.snapshot_retention)
        withheld_set = releases.withheld_set(self.connection, self.resource_type) if verdict.withheld else None
        return self._outcome(plan, verdict, withheld_set)

    def _rehearsed(
        self, plan: Plan, verdict: Verdict, snapshot: Snapshot, release: Releasable | None = None
    ) -> Applied:
        """Return the outcome of a dry run, with what the plan would lead to."""
        outcome = self._outcome(plan, verdict, snapshot.id)
        if self.preview is None or verdict.refusal:
            return outcome
        is_read = release is None or release.is_whole
        effects = rehearse(
            self.connection,
            plan,
            lambda: execute(self.connection, snapshot, plan, self.options, is_read=is_read),
            self.preview,
        )
        return replace(outcome, effects=effects)

    def _outcome(self, plan: Plan | None, verdict: Verdict = ACCEPTED, snapshot_id: int | None = None) -> Applied:
        about = {"type": self.resource_type}
        counted = self.connection.execute(statement("jwp_pipeline.mirror", "count_live"), about).one()
        return Applied(
            self.resource_type,
            plan,
            live=counted.live,
            missing=counted.missing,
            never_listed=counted.never_listed,
            listed=self._listed(),
            open_problems=open_problems(self.connection, "cache", self.resource_type),
            dry_run=self.dry_run,
            verdict=verdict,
            snapshot_id=snapshot_id,
        )

    def _listed(self) -> int | None:
        last = snapshots.last_applied(self.connection, self.resource_type)
        if last is None or not snapshots.may_delete(last):
            return None
        overtaken = self.connection.scalar(
            statement("jwp_pipeline.mirror", "count_overtaken"), {"type": self.resource_type, "snapshot_id": last.id}
        )
        return int(last.key_count) + int(overtaken or 0)


def execute(
    connection: Connection, snapshot: Snapshot, plan: Plan, options: MirrorOptions, *, is_read: bool = True
) -> None:
    """Carry out the prepared plan and record it, in the caller's transaction. The caller holds the writer lock.

    `is_read` says whether the plan comes from what the snapshot lists, and not only from a release of its deletions.
    """
    with without_gin_indexes(connection, "cached_resources", rows=plan.added):
        connection.execute(
            statement("jwp_pipeline.mirror", "apply_plan"),
            {
                "snapshot_id": snapshot.id,
                "resource_type": snapshot.resource_type,
                "volatile_fields": list(options.volatile_fields),
                "is_listing": snapshot.scope != "keys",
            },
        )
    create_found_problems(connection)
    if is_read:
        connection.execute(statement("jwp_pipeline.mirror", "found_problems"), {"snapshot_id": snapshot.id})
        snapshots.mark_applied(connection, snapshot.id)
    complete = is_read and snapshots.may_delete(snapshot)
    if not complete:
        about = {"snapshot_id": snapshot.id, "is_read": is_read}
        connection.execute(statement("jwp_pipeline.mirror", "looked_at"), about)
    record_problems(connection, "cache", snapshot.resource_type, complete=complete)
    connection.execute(text("DROP TABLE pg_temp.plan"))
