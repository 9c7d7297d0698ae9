"""Reads only what changed since the last sync, and falls back to a full listing if that is not enough.

A list of changes never contains deletions. A deletion shows only in the total, and only a full listing can tell which
resource it was. Some changes do not show in the total either, for example if one resource is deleted and another one
returns with its old stamp. The daily full listing finds these. Put here how to decide whether a list of changes is
enough; landing.py stores and judges what is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine

from jwp_pipeline.database.sql import statement
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
    """Read what changed since the watermark minus `overlap`, or the full listing if that is not enough.

    The overlap covers equal stamps and a search index that lags behind. The full listing is read if the changes do not
    explain JWP's total, if nothing has been applied yet, if the read may have missed changes, and if the resources have
    no change stamp (v1 channels). Raises the same errors as read_listing.
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
    """Yields the pages of changes and then sends a probe, as part of the read: if the probe fails, the read fails.

    No probe is sent if the only page has told what it would find.
    """

    changed: Iterator[Page]
    client: ManagementClient
    resource_type: ResourceType
    newest: datetime | None = None
    probe: Probe | None = None

    def __iter__(self) -> Iterator[Page]:
        told: Probe | None = None
        for page in self.changed:
            told = page.probe
            newest = pages.newest_change(page.items, until=_LAST)
            self.newest = max(filter(None, (self.newest, newest)), default=None)
            yield page
        self.probe = told or self.client.probe(self.resource_type)

    def explained(self, expected: int, since: datetime) -> bool:
        """Whether JWP lists `expected` resources and its newest change was among those read.

        It is not documented how JWP compares `since`, but reading its newest change shows that it does so as we expect.
        """
        if self.probe is None:
            return False
        if not _is_total(self.probe, expected):
            return False
        newest = self.probe.newest_change
        return newest is None or newest < since or (self.newest is not None and newest <= self.newest)


def is_followed(connection: Connection, resource_type: ResourceType, probe: Probe) -> bool:
    """Whether the cache already follows what a probe shows: as many resources, and nothing newer than was read.

    A change that was made before another one which has been read does not show. The next read of changes finds it.
    """
    newest = snapshots.newest_read(connection, resource_type)
    if probe.newest_change is not None and (newest is None or newest < probe.newest_change):
        return False
    return _is_total(probe, _listed_with(connection, resource_type))


def _is_total(probe: Probe, expected: int) -> bool:
    """Whether JWP's total is the number of resources that it should list.

    A capped total cannot show deletions. We then accept it, because a full listing at every frequent sync would be too
    expensive, and leave the deletions to the daily listing.
    """
    return probe.total == expected or (probe.capped and expected > probe.total)


def _listed_with(connection: Connection, resource_type: ResourceType, snapshot_id: int | None = None) -> int:
    """Return how many resources JWP should list if we have missed nothing.

    These are the resources in the cache, those in the snapshot if one is given, and the listed elements that the cache
    cannot hold.
    """
    rows = connection.scalar(
        statement("jwp_pipeline.mirror", "count_listed"), {"type": resource_type, "snapshot_id": snapshot_id}
    )
    return int(rows or 0) + snapshots.unkept(connection, resource_type)
