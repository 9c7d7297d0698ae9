"""Each deletion has a 404 of its own, deletions above the ratio are withheld, and a schema mirrors one site.

What a complete listing misses is marked before it is deleted, which may take several syncs. A snapshot keeps the keys
that a release of it is for, instead of those that a second listing had spared.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0005"
down_revision = "0004"

# One row a type: in step as of when, what both sides hold, what stands in the way.
SYNC_STATUS = """
CREATE VIEW sync_status AS
WITH link AS NOT MATERIALIZED (
    SELECT 'video' AS type, key, looked_at, deleted_at FROM videos
    UNION ALL
    SELECT 'channel' AS type, key, looked_at, deleted_at FROM channels
)
SELECT
    kind.resource_type,
    verified.started_at AS in_step_as_of,
    applied.started_at AS changes_seen_until,
    now() - verified.started_at AS lag,
    verified.key_count AS listed,
    (
        SELECT count(*) FROM cached_resources AS cached
        WHERE cached.type = kind.resource_type AND cached.deleted_at IS NULL
    ) AS live,
    CASE WHEN applied.withheld > 0 THEN 0 ELSE marked.resources END AS unconfirmed,
    CASE WHEN applied.withheld > 0 THEN marked.resources ELSE 0 END AS withheld,
    CASE WHEN applied.withheld > 0 THEN withheld_set.id END AS withheld_snapshot,
    CASE kind.resource_type
        WHEN 'video' THEN (
            SELECT count(*) FROM media_items JOIN videos ON videos.media_item_id = media_items.id
            WHERE media_items.deleted_at IS NULL
        )
        ELSE (
            SELECT count(*) FROM media_channels JOIN channels ON channels.media_channel_id = media_channels.id
            WHERE media_channels.deleted_at IS NULL
        )
    END AS live_in_platform,
    unfollowed.resources AS behind,
    CASE WHEN newest.status = 'quarantined' THEN newest.id END AS quarantined_snapshot,
    CASE WHEN newest.status IN ('quarantined', 'failed', 'incomplete') THEN newest.status END AS newest_read,
    CASE WHEN newest.status IN ('quarantined', 'failed', 'incomplete') THEN newest.problem END AS problem,
    (
        SELECT count(*) FROM sync_problems
        WHERE sync_problems.type = kind.resource_type AND sync_problems.resolved_at IS NULL
    ) AS open_problems,
    unfollowed.newest AS behind_newest,
    applied.applied_at AS last_applied_at
FROM (VALUES ('video'), ('channel')) AS kind (resource_type)
LEFT JOIN LATERAL (
    SELECT started_at, key_count FROM raw_snapshots
    WHERE resource_type = kind.resource_type AND applied_at IS NOT NULL AND complete ORDER BY id DESC LIMIT 1
) AS verified ON true
LEFT JOIN LATERAL (
    SELECT started_at, applied_at, withheld FROM raw_snapshots
    WHERE resource_type = kind.resource_type AND applied_at IS NOT NULL ORDER BY id DESC LIMIT 1
) AS applied ON true
LEFT JOIN LATERAL (
    SELECT id FROM raw_snapshots
    WHERE resource_type = kind.resource_type AND applied_at IS NOT NULL
        AND withheld_keys IS NOT NULL AND released_at IS NULL
    ORDER BY id DESC LIMIT 1
) AS withheld_set ON true
LEFT JOIN LATERAL (
    SELECT id, status, problem FROM raw_snapshots
    WHERE resource_type = kind.resource_type AND status <> 'running' ORDER BY id DESC LIMIT 1
) AS newest ON true
CROSS JOIN LATERAL (
    SELECT count(*) AS resources FROM cached_resources AS cached
    WHERE cached.type = kind.resource_type AND cached.missing_since IS NOT NULL
) AS marked
CROSS JOIN LATERAL (
    SELECT count(*) AS resources, max(moment) AS newest
    FROM (
        SELECT cached.updated_at AS moment
        FROM cached_resources AS cached
        LEFT JOIN link USING (type, key)
        WHERE cached.type = kind.resource_type AND cached.deleted_at IS NULL
            AND link.looked_at IS DISTINCT FROM cached.updated_at
        UNION ALL
        SELECT gone.deleted_at
        FROM link
        LEFT JOIN cached_resources AS gone USING (type, key)
        WHERE link.type = kind.resource_type AND link.deleted_at IS NULL
            AND NOT EXISTS (
                SELECT FROM cached_resources AS cached
                WHERE cached.type = link.type AND cached.key = link.key AND cached.deleted_at IS NULL
            )
    ) AS unfollowed_resources
) AS unfollowed
"""


def upgrade() -> None:
    # First of all, so that nobody who reads the view holds one of its tables and waits for another.
    op.execute("DROP VIEW sync_status")
    for name in ("missing_since", "asked_at"):
        op.add_column("cached_resources", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "cached_resources_missing",
        "cached_resources",
        ["type", "key"],
        postgresql_where=sa.text("missing_since IS NOT NULL"),
    )
    op.add_column("raw_snapshots", sa.Column("withheld", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("raw_snapshots", sa.Column("withheld_keys", ARRAY(sa.Text()), nullable=True))
    op.drop_column("raw_snapshots", "spared_keys")
    op.create_table(
        "mirrored_site",
        sa.Column("singleton", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("adopted_by", sa.Text(), nullable=True),
        sa.CheckConstraint("singleton", name="mirrored_site_singleton"),
        sa.PrimaryKeyConstraint("singleton"),
    )
    op.execute(SYNC_STATUS)
