"""Pushes edits and new items to JW Platform: several items side by side, and the edits of one item together.

For each item, JW Platform is asked for its video, the edits are merged with what it has, and the rest is sent. Threads
ask JW Platform, and the calling thread alone uses the database. A push may be killed anywhere: the next one looks at
the video again, and finds done what had arrived. Put here the course of a push; exchange.py asks JW Platform about one
item, outcomes.py records the answer, and creations.py makes new videos.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from queue import SimpleQueue

from sqlalchemy import Connection, Engine

from jwp_pipeline.database.connection import advisory_lock, connect
from jwp_pipeline.database.leases import Lease
from jwp_pipeline.database.transactions import in_transaction
from jwp_pipeline.database.write_back import record_edits
from jwp_pipeline.errors import CredentialsRefused, JWPlatformError, RateLimited, RequestRefused, WritingNotAllowed
from jwp_pipeline.jwplatform.writing import WritingClient
from jwp_pipeline.media.options import MediaOptions
from jwp_pipeline.outbox import outcomes, records
from jwp_pipeline.outbox.bodies import SiteMark
from jwp_pipeline.outbox.creations import CreationReport, create_due, judge
from jwp_pipeline.outbox.exchange import Answer, Rules, ask, is_about_one
from jwp_pipeline.outbox.merge import Policy
from jwp_pipeline.outbox.records import DueItem
from jwp_pipeline.outbox.report import PushedChange, PushReport, read_outbox
from jwp_pipeline.outbox.review import is_asked_for, mark_reviewed, require_review
from jwp_pipeline.settings import Settings

PUSH_LOCK = "the edits on their way to JW Platform"
"""The advisory lock of a push. A sync does not need it, so edits do not wait for one."""

FAILURES = 5
"""So many failures in a row mean that JW Platform is down, and not that something is wrong with these items."""

_WORKERS = 4
# Whoever edits an item while thousands are on their way waits for the items of one batch: a minute or two at the usual
# rate limit.
_BATCH = 40
_LOCK_PATIENCE = 10.0

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
            else:
                in_transaction(connection, lambda: records.record_stuck(connection), lease=lease)
            return PushReport((), before, time.monotonic() - started, dry_run=dry_run)
        rules = Rules(SiteMark.from_settings(options.settings), options.media, options.policy)
        with advisory_lock(connection, PUSH_LOCK, patience=_LOCK_PATIENCE), ExitStack() as stack:
            if not dry_run:
                in_transaction(connection, lambda: require_review(connection, asked_for=is_asked_for(options.settings)))
            work = _Push(connection, client, rules, dry_run, lease, stack)
            failure = work.run()
            if not dry_run:
                in_transaction(connection, lambda: records.record_stuck(connection), lease=lease)
            elif failure is None:
                in_transaction(connection, lambda: mark_reviewed(connection))
            after = in_transaction(connection, lambda: read_outbox(connection))
    if failure is not None:
        raise failure
    seconds = time.monotonic() - started
    return PushReport(tuple(work.changes), after, seconds, tuple(work.latencies), dry_run, work.stopped)


@dataclass(slots=True)
class _Push:
    """One push, which holds the lock."""

    connection: Connection
    connect: Connect
    rules: Rules
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
        creations = self._create(clients)
        failure = creations.failure
        seen: list[str] = []
        while failure is None:
            due = self._due(seen)
            if not due:
                break
            seen += [item.item_id for item in due]
            failure = self._push(threads, clients, due)
        may_write = any(change.result in ("pushed", "created") for change in self.changes)
        changes, not_allowed = judge(self.connection, creations, may_write=may_write, lease=self.lease)
        self.changes += changes
        return failure or not_allowed

    def _create(self, clients: SimpleQueue[WritingClient]) -> CreationReport:
        client = clients.get()
        try:
            made = create_due(
                self.connection, client, self.rules, patience=FAILURES, dry_run=self.dry_run, lease=self.lease
            )
            self.changes += made.changes
            self.latencies += made.latencies
            return made
        finally:
            clients.put(client)

    def _due(self, seen: Sequence[str]) -> list[DueItem]:
        def read() -> list[DueItem]:
            due = records.due_items(self.connection, seen=seen, limit=_BATCH, early=self.dry_run)
            if not self.dry_run:
                records.note_attempt(self.connection, due)
            return due

        return in_transaction(self.connection, read, lease=self.lease)

    def _push(
        self, threads: ThreadPoolExecutor, clients: SimpleQueue[WritingClient], due: Sequence[DueItem]
    ) -> JWPlatformError | None:
        """Push these items. Returns an error if it makes no sense to go on."""
        asked = {threads.submit(self._ask, clients, item) for item in due}
        recorded: set[Future[Answer]] = set()
        not_allowed: list[Answer] = []
        failures = 0
        try:
            for each in as_completed(asked):
                answer = each.result()
                recorded.add(each)
                error = answer.error
                if isinstance(error, WritingNotAllowed):
                    not_allowed.append(answer)
                else:
                    self._record(answer)
                failures = 0 if error is None or is_about_one(error) else failures + 1
                stops = isinstance(error, CredentialsRefused | RateLimited) and not isinstance(error, WritingNotAllowed)
                if error is not None and (stops or failures >= FAILURES):
                    self._finish(asked - recorded)
                    self.stopped = str(error)
                    return error
        finally:
            for each in asked:
                each.cancel()
        return self._judge(not_allowed)

    def _judge(self, not_allowed: Sequence[Answer]) -> JWPlatformError | None:
        """Tell items that JW Platform does not let anybody change from a secret that may not write at all.

        It answers both in the same way. But if the secret changed another item, it may write.
        """
        if not_allowed and not any(change.result in ("pushed", "created") for change in self.changes):
            return not_allowed[0].error
        for answer in not_allowed:
            self._record(replace(answer, error=RequestRefused(str(answer.error))))
        return None

    def _finish(self, asked: set[Future[Answer]]) -> None:
        """Start no more requests, and record what those that were sent bring."""
        for each in as_completed([each for each in asked if not each.cancel()]):
            self._record(each.result())

    def _ask(self, clients: SimpleQueue[WritingClient], item: DueItem) -> Answer:
        client = clients.get()
        try:
            return ask(client, item, self.rules, dry_run=self.dry_run)
        finally:
            clients.put(client)

    def _record(self, answer: Answer) -> None:
        if not self.dry_run:
            self.latencies += in_transaction(
                self.connection, lambda: outcomes.record(self.connection, answer), lease=self.lease
            )
        self.changes += outcomes.changes(answer)
