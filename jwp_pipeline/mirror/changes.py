"""Read only what changed since the last sync; in full where that cannot be enough.

Deletions never show among changes: what is gone shows in the totals, and only a full listing tells which. What the
totals cannot show either, such as one resource gone and another one back with its old stamp, is for the daily full
listing. Put here when a read of changes is enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, text

from jwp_pipeline.jwplatform.management import ManagementClient, Page, Probe, ResourceType
from jwp_pipeline.mirror import pages, snapshots
from jwp_pipeline.mirror.landing import Listing, Observer, Read, read_listing, reading

_EPOCH = datetime.fromtimestamp(0, UTC)
_LAST = datetime.max.replace(tzinfo=UTC)


def read_changes(
    engine: Engine,
    client: ManagementClient,
    resource_type: ResourceType,
    *,
    overlap: timedelta,
    run_id: str | None = None,
    observe: Observer = lambda progress: None,
) -> Listing:
    """Read what changed since the watermark less `overlap`; everything when that does not explain what JWP holds.

    The overlap covers equal stamps and an index that lags. Everything is read as well when nothing has been
    applied yet, when the read may have missed some changes, and where resources carry no stamp (v1 channels).
    Raises as read_listing does.
    """
    with reading(engine, resource_type) as connection:
        with connection.begin():
            watermark = snapshots.watermark(connection, resource_type)
        since = _EPOCH if watermark is None else watermark - min(overlap, watermark - _EPOCH)
        changed = None if watermark is None else client.list_changes(resource_type, since)
        if changed is not None:
            probed = _ThenProbed(changed, client, resource_type)
            read = Read(connection, client, resource_type, "incremental", run_id, 1, observe)
            read.land(iter(probed))
            listing = read.judge()
            with connection.begin():
                expected = _listed_with(connection, resource_type, listing.snapshot_id)
            if listing.verified and probed.explained(expected, since):
                return listing
    return read_listing(engine, client, resource_type, run_id=run_id, observe=observe)


@dataclass(slots=True)
class _ThenProbed:
    """Pages of changes, and after the last one a probe, as part of the same read: if that fails, so did the read."""

    changed: Iterator[Page]
    client: ManagementClient
    resource_type: ResourceType
    newest: datetime | None = None
    probe: Probe | None = None

    def __iter__(self) -> Iterator[Page]:
        for page in self.changed:
            newest = pages.newest_change(page.items, until=_LAST)
            self.newest = max(filter(None, (self.newest, newest)), default=None)
            yield page
        self.probe = self.client.probe(self.resource_type)

    def explained(self, expected: int, since: datetime) -> bool:
        """Whether JWP lists as many as `expected`, and its newest change was among those read.

        How exactly it understands `since` is not documented; the newest change shows that it did as we do. Where it
        stops counting, a listing in full would tell no more each quarter of an hour: what is gone is for the daily one.
        """
        if self.probe is None:
            return False
        counted = self.probe.total == expected or (self.probe.capped and expected > self.probe.total)
        if not counted:
            return False
        newest = self.probe.newest_change
        return newest is None or newest < since or (self.newest is not None and newest <= self.newest)


def _listed_with(connection: Connection, resource_type: ResourceType, snapshot_id: int) -> int:
    """How many resources JWP lists if the snapshot's are all that is new.

    These are the live rows but for those that the last complete listing misses, and what no row can hold.
    """
    rows = connection.scalar(
        text(
            "SELECT count(*) FROM ("
            " (SELECT key FROM cached_resources WHERE type = :type AND deleted_at IS NULL"
            " EXCEPT SELECT key FROM cached_resources WHERE type = :type AND missing_since IS NOT NULL)"
            " UNION SELECT entry.key FROM raw_pages AS page CROSS JOIN LATERAL unnest(page.keys) AS entry (key)"
            " WHERE page.snapshot_id = :snapshot_id AND entry.key IS NOT NULL) AS live"
        ),
        {"type": resource_type, "snapshot_id": snapshot_id},
    )
    return int(rows or 0) + snapshots.unkept(connection, resource_type)
