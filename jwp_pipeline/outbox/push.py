"""Pushes edits and new items to JW Platform: several items side by side, and the edits of one item together.

For each item, JW Platform is asked for its video, the edits are merged with what it has, and the rest is sent. Threads
ask JW Platform, and the calling thread alone uses the database. A push may be killed anywhere: the next one looks at
the video again, and finds done what had arrived. For the same reason, a push never waits for somebody who is writing
an item: it leaves the item to the next one. Put here the course of a push; exchange.py asks JW Platform about one item,
outcomes.py records the answer, not_allowed.py judges refusals to write, and creations.py makes new videos.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass, field
from queue import SimpleQueue

from sqlalchemy import Connection, Engine

from jwp_pipeline.database.connection import advisory_lock, connect
from jwp_pipeline.database.leases import Lease
from jwp_pipeline.database.transactions import in_transaction
from jwp_pipeline.database.write_back import record_edits
from jwp_pipeline.errors import CredentialsRefused, JWPlatformError, RateLimited, WritingNotAllowed
from jwp_pipeline.jwplatform.writing import WritingClient
from jwp_pipeline.media.options import MediaOptions
from jwp_pipeline.outbox import outcomes, records
from jwp_pipeline.outbox.bodies import SiteMark
from jwp_pipeline.outbox.creations import CreationReport, create_due, judge
from jwp_pipeline.outbox.exchange import Answer, Rules, ask, is_about_one
from jwp_pipeline.outbox.merge import Policy
from jwp_pipeline.outbox.not_allowed import FAILURES, NotAllowed, Timed
from jwp_pipeline.outbox.records import DueItem, ItemBusy
from jwp_pipeline.outbox.reopen import reopen_conflicts
from jwp_pipeline.outbox.report import PushedChange, PushReport, read_outbox
from jwp_pipeline.outbox.review import is_asked_for, mark_reviewed, require_review
from jwp_pipeline.settings import Settings

PUSH_LOCK = "the edits on their way to JW Platform"
"""The advisory lock of a push. A sync does not need it, so edits do not wait for one."""

_WORKERS = 4
# Whoever edits an item while thousands are on their way waits for the items of one batch: a minute or two at the usual
# rate limit.
_BATCH = 40
_LOCK_PATIENCE = 10.0
_BUSY_PATIENCE = 10.0
_BUSY_PAUSE = 0.2

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
        if not before.waiting and (dry_run or not before.conflicts):
            if dry_run:
                in_transaction(connection, lambda: mark_reviewed(connection))
            else:
                in_transaction(connection, lambda: records.record_stuck(connection), lease=lease)
            return PushReport((), before, time.monotonic() - started, dry_run=dry_run)
        rules = Rules(SiteMark.from_settings(options.settings), options.media, options.policy)
        with advisory_lock(connection, PUSH_LOCK, patience=_LOCK_PATIENCE), ExitStack() as stack:
            if not dry_run:
                in_transaction(connection, lambda: require_review(connection, asked_for=is_asked_for(options.settings)))
                in_transaction(connection, lambda: reopen_conflicts(connection, rules), lease=lease)
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
    return PushReport(tuple(work.changes), after, seconds, tuple(work.latencies), dry_run)


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
    not_allowed: NotAllowed = field(default_factory=NotAllowed)
    unrecorded: list[Answer] = field(default_factory=list)
    """Answers about items that somebody else was writing when they came."""

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
            in_line, due = self._due(seen)
            if not in_line:
                break
            seen += in_line
            failure = self._push(threads, clients, due)
            self._record_again()
        deadline = time.monotonic() + _BUSY_PATIENCE
        while self.unrecorded and time.monotonic() < deadline:
            time.sleep(_BUSY_PAUSE)
            self._record_again()
        may_write = self.not_allowed.written is not None
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
            if not self.dry_run and any(change.result == "created" for change in made.changes):
                self.not_allowed.written = time.monotonic()
            return made
        finally:
            clients.put(client)

    def _due(self, seen: Sequence[str]) -> tuple[list[str], list[DueItem]]:
        """Return the ids of the items that are next in line, and those of them that can be pushed."""

        def read() -> tuple[list[str], list[DueItem]]:
            in_line = records.next_in_line(self.connection, seen=seen, limit=_BATCH, early=self.dry_run)
            if self.dry_run:
                return in_line, records.due_items(self.connection, in_line)
            due = records.due_items(self.connection, records.free_items(self.connection, in_line))
            records.note_attempt(self.connection, due)
            return in_line, due

        return in_transaction(self.connection, read, lease=self.lease)

    def _push(
        self, threads: ThreadPoolExecutor, clients: SimpleQueue[WritingClient], due: Sequence[DueItem]
    ) -> JWPlatformError | None:
        """Push these items. Returns an error if it makes no sense to go on."""
        asked = [threads.submit(self._ask, clients, item) for item in due]
        failure: JWPlatformError | None = None
        failures = 0
        try:
            for each in as_completed(asked):
                if each.cancelled():
                    continue
                answer = each.result().answer
                error = answer.error
                if not self.not_allowed.note(each.result()):
                    self._record(answer)
                    failures = 0 if error is None or is_about_one(error) else failures + 1
                    stops = isinstance(error, CredentialsRefused | RateLimited) or failures >= FAILURES
                else:
                    stops = self.not_allowed.is_the_secret
                if stops and failure is None:
                    failure = error
                    # No more requests are started; what those that were sent bring is recorded.
                    for other in asked:
                        other.cancel()
        finally:
            for each in asked:
                each.cancel()
        return self._judge(failure)

    def _judge(self, failure: JWPlatformError | None) -> JWPlatformError | None:
        """Record what became of the items that may not be changed. Returns what ends the push, if anything does."""
        items, secret = self.not_allowed.judge()
        for answer in items:
            self._record(answer)
        for answer in secret:
            if not self.dry_run:
                self._store(answer)
        if failure is not None and not isinstance(failure, WritingNotAllowed):
            return failure
        return secret[0].error if secret else None

    def _ask(self, clients: SimpleQueue[WritingClient], item: DueItem) -> Timed:
        client = clients.get()
        began = time.monotonic()
        try:
            return Timed(ask(client, item, self.rules, dry_run=self.dry_run), began, time.monotonic())
        finally:
            clients.put(client)

    def _record(self, answer: Answer) -> None:
        if not self.dry_run:
            self._store(answer)
        self.changes += outcomes.changes(answer)

    def _store(self, answer: Answer) -> None:
        try:
            self.latencies += in_transaction(
                self.connection, lambda: outcomes.record(self.connection, answer), lease=self.lease
            )
        except ItemBusy:
            self.unrecorded.append(answer)

    def _record_again(self) -> None:
        """Try again to record what could not be. The next push finds out anew what stays unrecorded."""
        busy, self.unrecorded = self.unrecorded, []
        for answer in busy:
            self._store(answer)
