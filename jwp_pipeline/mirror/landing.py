"""Reads a listing into raw_snapshots and raw_pages, page by page, until a read proves complete.

Each page is stored as received and committed at once, while the next one is being fetched. Memory holds two or three
pages, however large the library is. Put here how a listing is read and stored; plan.py compares it with the cache.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, select, text

from jwp_pipeline.database.connection import advisory_lock, connect
from jwp_pipeline.database.revision import require_revision
from jwp_pipeline.database.sql import statement
from jwp_pipeline.database.tables import RawSnapshot
from jwp_pipeline.errors import JWPlatformError
from jwp_pipeline.jwplatform.census import EVERY, Census
from jwp_pipeline.jwplatform.management import ManagementClient, Page, RequestStats, ResourceType
from jwp_pipeline.jwplatform.prefetch import prefetched
from jwp_pipeline.jwplatform.shapes import array_field
from jwp_pipeline.mirror import pages, slots, snapshots, verification
from jwp_pipeline.mirror.storing import land_page
from jwp_pipeline.mirror.verification import PageFacts

ATTEMPTS = 3
"""How often a listing is read before it is accepted as incomplete."""

# Seconds to wait for the lock, because the server may not have noticed yet that the last holder died.
_LOCK_PATIENCE = 3.0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a read has come, for logs and progress bars."""

    resource_type: ResourceType
    attempt: int
    pages: int
    resources: int
    expected: int
    seconds: float

    @property
    def seconds_left(self) -> float | None:
        """The estimated time left, from the speed so far; None if it cannot be estimated yet."""
        if not self.resources or not self.expected:
            return None
        return max(0.0, self.seconds * (self.expected - self.resources) / self.resources)


Observer = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Listing:
    """The report of one read: the row of its snapshot and the effort. Seconds are wall-clock time."""

    snapshot_id: int
    resource_type: ResourceType
    scope: snapshots.Scope
    status: snapshots.Status
    expected_total: int
    resource_count: int
    key_count: int
    page_count: int
    request_count: int
    retry_count: int
    seconds: float
    seconds_waiting: float
    attempts: int
    problem: str | None

    @property
    def verified(self) -> bool:
        """Whether the listing proved complete or, for a read of changes, whether it cannot have missed any."""
        return self.status == "verified"


def read_listing(
    engine: Engine,
    client: ManagementClient,
    resource_type: ResourceType,
    *,
    run_id: str | None = None,
    observe: Observer = lambda progress: None,
) -> Listing:
    """Read all videos or channels, up to ATTEMPTS times, until the listing proves complete.

    Returns the last read, which is verified or incomplete. Raises JWPlatformError if a read fails (its snapshot is then
    `failed` and has no pages), and SyncInProgress if another process is reading the same type.
    """
    with reading(engine, resource_type) as connection:
        before: int | None = None
        for attempt in range(1, ATTEMPTS + 1):
            read = Read(connection, client, resource_type, "full", run_id, attempt, observe)
            read.land(client.list_pages(resource_type, _census(connection, resource_type)))
            listing = read.judge(before=before)
            if listing.verified:
                break
            before = listing.snapshot_id
        return listing


def _census(connection: Connection, resource_type: ResourceType) -> Census:
    """Return a census of what was listed before. With it, a big listing takes a tenth fewer requests."""
    with connection.begin():
        about = {"type": resource_type, "every": EVERY}
        return Census(connection.scalars(statement("jwp_pipeline.mirror", "census"), about))


@contextmanager
def reading(engine: Engine, resource_type: ResourceType) -> Iterator[Connection]:
    """Open a connection for reading the listing of a type; only one process can do so at a time."""
    with (
        connect(engine) as connection,
        advisory_lock(connection, f"{resource_type}s' listing", patience=_LOCK_PATIENCE),
    ):
        yield connection


@dataclass(slots=True)
class Read:
    """One read of a listing or of its changes. It is stored page by page and then judged."""

    connection: Connection
    client: ManagementClient
    resource_type: ResourceType
    scope: snapshots.Scope
    run_id: str | None
    attempt: int
    observe: Observer
    snapshot_id: int = 0
    started: float = 0.0
    started_at: datetime = dataclass_field(default_factory=lambda: datetime.now(UTC))
    before: RequestStats = dataclass_field(default_factory=RequestStats)
    facts: list[PageFacts] = dataclass_field(default_factory=list)
    resources: int = 0
    unusable: int = 0
    newest_change: datetime | None = None

    def land(self, listed: Iterator[Page]) -> None:
        """Store every page as it arrives. If it raises JWPlatformError, the snapshot is `failed` and has no pages."""
        self.started, self.before = time.monotonic(), replace(self.client.stats)
        with self.connection.begin():
            snapshots.close_abandoned(self.connection, self.resource_type)
        slots.empty(self.connection)
        with self.connection.begin():
            self.snapshot_id = snapshots.open_snapshot(
                self.connection, self.resource_type, self.client.api_version, run_id=self.run_id, scope=self.scope
            )
        with self._failing(), closing(prefetched(listed)) as incoming:
            for page in incoming:
                self._store(page)

    def judge(self, *, before: int | None = None, doubts: Sequence[str] = ()) -> Listing:
        """Record whether the read proved complete, and return its report.

        `doubts` are the caller's own reasons why it did not.

        `before` is the snapshot of the previous attempt. If both snapshots hold the same keys equally often, repeated
        keys are normal for this listing and do not count against it. A read of changes is never complete and cannot
        delete anything; it is verified if it cannot have missed a change.
        """
        with self._failing(), self.connection.begin():
            require_revision(self.connection)
            distinct = snapshots.count_keys(self.connection, self.snapshot_id)
            repeated = self.resources - self.unusable - distinct
            if self.scope == "full":
                if repeated and before and snapshots.same_keys(self.connection, before, self.snapshot_id):
                    repeated = 0
                reasons = [*doubts, *verification.doubts(self.facts, repeated_keys=repeated)]
            else:
                reasons = [*doubts, *verification.doubts_of_changes(self.facts, repeated_keys=repeated)]
            counts = {
                "expected_total": self.facts[-1].listing_total,
                "resource_count": self.resources,
                "key_count": distinct,
                "page_count": len(self.facts),
                "request_count": self.client.stats.requests - self.before.requests,
                "retry_count": self.client.stats.retries - self.before.retries,
            }
            status: snapshots.Status = "incomplete" if reasons else "verified"
            problem = "; ".join(reasons) or None
            snapshots.close_snapshot(
                self.connection, self.snapshot_id, status, problem, counts=counts, newest_change=self.newest_change
            )
        return Listing(
            snapshot_id=self.snapshot_id,
            resource_type=self.resource_type,
            scope=self.scope,
            status=status,
            seconds=time.monotonic() - self.started,
            seconds_waiting=self.client.stats.seconds_waiting - self.before.seconds_waiting,
            attempts=self.attempt,
            problem=problem,
            **counts,
        )

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """Record the read as failed if an exception is raised."""
        try:
            yield
        except BaseException as error:
            _abandon(self.connection, self.snapshot_id, error)
            raise

    def _store(self, page: Page) -> None:
        field = array_field(self.client.api_version, self.resource_type)
        with self.connection.begin():
            # A power cut may lose the last pages, but the read would have to be repeated anyway.
            self.connection.execute(text("SET LOCAL synchronous_commit TO off"))
            entry = land_page(
                self.connection,
                self.snapshot_id,
                page.number,
                body=page.body,
                field=field,
                elements=page.items,
                # Single resources are answered in other words than listings, so their digests cannot be compared.
                origin=None if self.scope == "keys" else self.client.api_version,
            )
        self.facts.append(_facts(page, entry))
        self.resources += len(entry.keys)
        self.unusable += entry.unusable
        newest = pages.newest_change(page.items, until=self.started_at)
        self.newest_change = max(filter(None, (self.newest_change, newest)), default=None)
        seconds = time.monotonic() - self.started
        done = Progress(self.resource_type, self.attempt, len(self.facts), self.resources, page.listing_total, seconds)
        self.observe(done)


def _facts(page: Page, entry: pages.Ledger) -> PageFacts:
    return PageFacts(
        number=page.number,
        stretch=page.stretch,
        stretch_total=page.stretch_total,
        page_length=page.page_length,
        listing_total=page.listing_total,
        count=len(entry.keys),
        fingerprint=hash(tuple(entry.keys)) if any(entry.keys) else None,
    )


def _abandon(connection: Connection, snapshot_id: int, error: BaseException) -> None:
    """Record the read as failed. If the connection is lost, the next read does so (`close_abandoned`)."""
    reason = str(error) if isinstance(error, JWPlatformError) else f"interrupted by {type(error).__name__}"
    if connection.closed or connection.invalidated:
        return
    connection.rollback()
    with connection.begin():
        snapshots.close_snapshot(connection, snapshot_id, "failed", reason)
        slots.drop_pages(connection, select(RawSnapshot.id).where(RawSnapshot.id == snapshot_id))
    slots.empty(connection)
