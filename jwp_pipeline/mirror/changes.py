"""Read only what changed since the last sync; in full where that cannot be enough.

Deletions never show among changes: what is gone shows in the totals, and only a full listing tells which.
Not here: landing and judging a read (landing.py), how the clients ask for changes (jwplatform/).
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, Engine, text

from jwp_pipeline.jwplatform.management import ManagementClient, ResourceType
from jwp_pipeline.mirror import snapshots
from jwp_pipeline.mirror.landing import Listing, Observer, Read, read_listing, reading


def read_changes(
    engine: Engine,
    client: ManagementClient,
    resource_type: ResourceType,
    *,
    overlap: timedelta,
    run_id: str | None = None,
    observe: Observer = lambda progress: None,
) -> Listing:
    """Read what changed since the watermark less `overlap`, or everything when that does not explain the totals.

    The overlap covers equal stamps, clocks that differ and an index that lags. Everything is read as well when
    nothing has been applied yet, and where resources carry no stamp (v1 channels). Raises as read_listing does.
    """
    with reading(engine, resource_type) as connection:
        with connection.begin():
            watermark = snapshots.watermark(connection, resource_type)
        changed = None if watermark is None else client.list_changes(resource_type, watermark - overlap)
        if changed is not None:
            total = client.probe(resource_type).total
            read = Read(connection, client, resource_type, "incremental", run_id, 1, observe)
            read.land(changed)
            listing, _ = read.judge(frozenset())
            with connection.begin():
                expected = _live_with(connection, resource_type, listing.snapshot_id)
            if total == expected:
                return listing
    return read_listing(engine, client, resource_type, run_id=run_id, observe=observe)


def _live_with(connection: Connection, resource_type: ResourceType, snapshot_id: int) -> int:
    """How many rows would be live with the snapshot applied."""
    return int(
        connection.scalar(
            text(
                "SELECT count(*) FROM ("
                " SELECT key FROM cached_resources WHERE type = :type AND deleted_at IS NULL"
                " UNION SELECT entry.key FROM raw_pages AS page CROSS JOIN LATERAL unnest(page.keys) AS entry (key)"
                " WHERE page.snapshot_id = :snapshot_id AND entry.key IS NOT NULL) AS live"
            ),
            {"type": resource_type, "snapshot_id": snapshot_id},
        )
        or 0
    )
