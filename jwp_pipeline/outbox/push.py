"""Pushes edits and new items to JW Platform: several items side by side, and the edits of one item together.

For each item, JW Platform is asked for its video, the edits are merged with what it has, and the rest is sent. Threads
ask JW Platform, and the calling thread alone uses the database. A push may be killed anywhere: the next one looks at
the video again, and finds done what had arrived. Put here the course of a push; merge.py decides about each edit,
records.py reads and records, and creations.py makes new videos.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from queue import SimpleQueue
from typing import Any

from sqlalchemy import Connection, Engine

from jwp_pipeline.database.connection import advisory_lock, connect
from jwp_pipeline.database.leases import Lease
from jwp_pipeline.database.transactions import in_transaction
from jwp_pipeline.database.write_back import record_edits
from jwp_pipeline.errors import (
    CredentialsRefused,
    JWPlatformError,
    PermanentError,
    RateLimited,
    WritingNotAllowed,
)
from jwp_pipeline.jwplatform.writing import WritingClient
from jwp_pipeline.media.mapping import KEEP, map_video
from jwp_pipeline.media.options import MediaOptions
from jwp_pipeline.outbox import creations, records
from jwp_pipeline.outbox.bodies import SiteMark, video_edit
from jwp_pipeline.outbox.fields import in_words, listed_value
from jwp_pipeline.outbox.merge import Decision, Edit, Policy, decide
from jwp_pipeline.outbox.records import DueItem
from jwp_pipeline.outbox.report import PushedChange, PushReport, read_outbox
from jwp_pipeline.outbox.review import is_asked_for, mark_reviewed, require_review
from jwp_pipeline.settings import Settings

PUSH_LOCK = "the edits on their way to JW Platform"
"""The advisory lock of a push. A sync does not need it, so edits do not wait for one."""

_WORKERS = 4
_BATCH = 100
_LOCK_PATIENCE = 10.0
# So many failures in a row mean that JW Platform is down, and not that something is wrong with these items.
_FAILURES = 5
_BACKOFF_FIRST, _BACKOFF_MOST = 60.0, 3600.0
_log = logging.getLogger(__name__)

Connect = Callable[[], WritingClient]
"""Makes a client. Each thread needs its own."""


@dataclass(frozen=True, slots=True)
class PushOptions:
    """How edits are pushed, from the settings."""

    settings: Settings
    media: MediaOptions
    """How a video is read, to compare it with the item."""
    policy: Policy

    @classmethod
    def from_settings(cls, settings: Settings) -> PushOptions:
        """Return the configured options. Raises SettingsError."""
        return cls(settings, MediaOptions.from_settings(settings), settings.jwp_conflict)


def push(
    engine: Engine, client: Connect, *, options: PushOptions, dry_run: bool = False, lease: Lease | None = None
) -> PushReport:
    """Push everything that is due. With `dry_run`, only find out what would be pushed, and count it as reviewed.

    Raises SettingsError and NotReviewed, and JWPlatformError if JW Platform cannot be asked at all; what was pushed
    before that is recorded. Raises SyncInProgress if another process pushes.
    """
    started = time.monotonic()
    with connect(engine) as connection:
        if not options.settings.jwp_sync_items:
            in_transaction(connection, lambda: record_edits(connection, on=False))
            return PushReport(
                (), read_outbox(connection), time.monotonic() - started, stopped="JWP_SYNC_ITEMS is false"
            )
        in_transaction(connection, lambda: record_edits(connection, on=True))
        before = in_transaction(connection, lambda: read_outbox(connection))
        if not before.waiting:
            if dry_run:
                in_transaction(connection, lambda: mark_reviewed(connection))
            in_transaction(connection, lambda: records.record_stuck(connection), lease=lease)
            return PushReport((), before, time.monotonic() - started, dry_run=dry_run)
        site = SiteMark.from_settings(options.settings)
        with advisory_lock(connection, PUSH_LOCK, patience=_LOCK_PATIENCE), ExitStack() as stack:
            if not dry_run:
                in_transaction(connection, lambda: require_review(connection, asked_for=is_asked_for(options.settings)))
            work = _Push(connection, client, site, options, dry_run, lease, stack)
            failure = work.run()
            if dry_run:
                in_transaction(connection, lambda: mark_reviewed(connection))
            else:
                in_transaction(connection, lambda: records.record_stuck(connection), lease=lease)
            after = in_transaction(connection, lambda: read_outbox(connection))
    if failure is not None:
        raise failure
    seconds = time.monotonic() - started
    return PushReport(tuple(work.changes), after, seconds, tuple(work.latencies), dry_run, work.stopped)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came of asking JW Platform about one item."""

    item: DueItem
    decisions: Sequence[Decision] = ()
    updated: int = 0
    """JWP's stamp of the video, after the change if one was sent."""
    error: JWPlatformError | None = None


@dataclass(slots=True)
class _Push:
    """One push, which holds the lock."""

    connection: Connection
    connect: Connect
    site: SiteMark
    options: PushOptions
    dry_run: bool
    lease: Lease | None
    opened: ExitStack
    changes: list[PushedChange] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    stopped: str | None = None

    def run(self) -> JWPlatformError | None:
        """Push everything that is due. Returns the error that ended it early, if one did."""
        clients: SimpleQueue[WritingClient] = SimpleQueue()
        for _ in range(_WORKERS):
            made = self.connect()
            self.opened.callback(made.close)
            clients.put(made)
        threads = self.opened.enter_context(ThreadPoolExecutor(_WORKERS, thread_name_prefix="push"))
        failure = self._create(clients)
        seen: list[str] = []
        while failure is None:
            due = in_transaction(self.connection, partial(records.due_items, self.connection, seen=seen, limit=_BATCH))
            if not due:
                break
            seen += [item.item_id for item in due]
            failure = self._push(threads, clients, due)
        return failure

    def _create(self, clients: SimpleQueue[WritingClient]) -> JWPlatformError | None:
        client = clients.get()
        try:
            made = creations.create_due(
                self.connection, client, self.site, self.options.media, dry_run=self.dry_run, lease=self.lease
            )
            self.changes += made.changes
            self.latencies += made.latencies
            return made.failure
        finally:
            clients.put(client)

    def _push(
        self, threads: ThreadPoolExecutor, clients: SimpleQueue[WritingClient], due: Sequence[DueItem]
    ) -> JWPlatformError | None:
        """Push these items. Returns an error if it makes no sense to go on."""
        asked = [threads.submit(self._ask, clients, item) for item in due]
        failures = 0
        try:
            for each in as_completed(asked):
                answer = each.result()
                self._record(answer)
                error = answer.error
                if isinstance(error, CredentialsRefused | WritingNotAllowed | RateLimited):
                    return self._stop(asked, error)
                failures = 0 if error is None or isinstance(error, PermanentError) else failures + 1
                if failures >= _FAILURES and error is not None:
                    return self._stop(asked, error)
        finally:
            for each in asked:
                each.cancel()
        return None

    def _stop(self, asked: Sequence[Future[_Answer]], error: JWPlatformError) -> JWPlatformError:
        """Start no more requests, and record what those under way bring."""
        for each in asked:
            if not each.cancel() and not each.done():
                self._record(each.result())
        self.stopped = str(error)
        return error

    def _ask(self, clients: SimpleQueue[WritingClient], item: DueItem) -> _Answer:
        """Merge an item's edits with JW Platform's video and send the rest, in a thread that has no database."""
        client = clients.get()
        try:
            return ask(client, item, self.site, self.options, dry_run=self.dry_run)
        finally:
            clients.put(client)

    def _record(self, answer: _Answer) -> None:
        changes = _changes(answer)
        if not self.dry_run:
            latencies = in_transaction(self.connection, lambda: _record(self.connection, answer), lease=self.lease)
            self.latencies += latencies
        self.changes += changes


def ask(
    client: WritingClient, item: DueItem, site: SiteMark, options: PushOptions, *, dry_run: bool = False
) -> _Answer:
    """Ask JW Platform for the item's video, merge, and send what remains. Never raises a JWPlatformError."""
    decisions: list[Decision] = []
    try:
        shown = client.show_video(item.key)
        if shown is None:
            return _Answer(item, _gone(item))
        decisions, updated = merged(item, shown, options)
        sent = {decision.edit.field: decision.sent for decision in decisions if decision.verdict == "push"}
        if sent:
            answer = client.update_video(shown, video_edit(sent, item.item_id, site), dry_run=dry_run)
            updated = _stamp(answer, options) if answer is not None else updated
        return _Answer(item, decisions, updated)
    except JWPlatformError as error:
        return _Answer(item, decisions, error=error)


def merged(item: DueItem, shown: dict[str, Any], options: PushOptions) -> tuple[list[Decision], int]:
    """Decide about the item's edits, given its video as JW Platform shows it. Returns its stamp as well."""
    fields = map_video(
        shown, key=item.key, default_acl=options.media.default_acl, create_items=options.media.create_items
    )
    updated = 0 if fields.updated is KEEP else fields.updated
    decisions = []
    for edit in item.edits:
        theirs = listed_value(edit.field, fields)
        if edit.field == records.VIEW and item.acl_state == "vanished" and fields.acl_state == "absent":
            # The item kept its permission when the ACL vanished, so its absence is no change.
            theirs = None
        decisions.append(
            decide(
                Edit(edit.field, edit.number, edit.base, edit.ours, theirs),
                policy=options.policy,
                moved=updated != edit.base_updated,
            )
        )
    return decisions, updated


def _stamp(video: dict[str, Any], options: PushOptions) -> int:
    fields = map_video(video, key="", default_acl=options.media.default_acl, create_items=options.media.create_items)
    return 0 if fields.updated is KEEP else fields.updated


def _gone(item: DueItem) -> list[Decision]:
    problem = (
        f"JW Platform has no video {item.key}. If it was deleted there, the next full listing deletes the item here."
    )
    return [
        Decision(Edit(edit.field, edit.number, edit.base, edit.ours, None), "unsendable", problem=problem)
        for edit in item.edits
    ]


def _record(connection: Connection, answer: _Answer) -> list[float]:
    """Record what came of one item, in the caller's transaction. Returns how many seconds its edits took to arrive."""
    item, error = answer.item, answer.error
    if isinstance(error, CredentialsRefused | WritingNotAllowed):
        return []
    if error is not None and not isinstance(error, PermanentError):
        records.try_later(connection, item, str(error), _backoff(item.tries + 1))
        return []
    decisions = list(answer.decisions)
    if error is not None:
        # JW Platform refused what was sent; the other fields were decided without sending anything.
        decisions = [
            replace(decision, verdict="unsendable", problem=str(error)) if decision.verdict == "push" else decision
            for decision in decisions
        ]
    for verdict, state in (("conflict", "conflict"), ("unsendable", "refused")):
        stuck = [decision for decision in decisions if decision.verdict == verdict]
        if stuck:
            records.set_aside(connection, item, stuck, state)
    settled = [decision for decision in decisions if decision.verdict in ("push", "done", "theirs")]
    return records.settle(connection, item, settled, answer.updated) if settled else []


_RESULTS = {"push": "pushed", "done": "unchanged", "conflict": "conflict", "theirs": "theirs", "unsendable": "refused"}


def _changes(answer: _Answer) -> list[PushedChange]:
    item, error = answer.item, answer.error
    if not answer.decisions and error is not None:
        return [
            PushedChange(item.item_id, item.key, edit.field, _failed(error), problem=str(error)) for edit in item.edits
        ]
    return [
        PushedChange(
            item.item_id,
            item.key,
            decision.edit.field,
            _failed(error) if error is not None and decision.verdict == "push" else _RESULTS[decision.verdict],  # type: ignore[arg-type]
            in_words(decision.edit.field, decision.edit.ours),
            in_words(decision.edit.field, decision.edit.theirs),
            str(error) if error is not None and decision.verdict == "push" else decision.problem,
        )
        for decision in answer.decisions
    ]


def _failed(error: JWPlatformError) -> Any:
    return "refused" if isinstance(error, PermanentError) and not isinstance(error, WritingNotAllowed) else "later"


def _backoff(tries: int) -> float:
    """Return the seconds until the next try, which double with every failure."""
    ceiling: float = min(_BACKOFF_MOST, _BACKOFF_FIRST * 2 ** min(tries - 1, 10))
    return ceiling * random.uniform(0.75, 1.0)  # noqa: S311
