"""JW Platform's own events, and the reads of single keys that they ask for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0009"
down_revision = "0008"

# As before, but a look at single keys (scope `keys`) is no listing: it does not say until when all changes were seen,
# and does not stand in front of a listing that failed.
SYNC_STATUS = """
CREATE VIEW sync_status AS
WITH link AS NOT MATERIALIZED (
    SELECT 'video' AS type, key, mapped_version, deleted_at FROM videos
    UNION ALL
    SELECT 'channel' AS type, key, mapped_version, deleted_at FROM channels
)
SELECT
    kind.resource_type,
    verified.started_at AS in_step_as_of,
    listed.started_at AS changes_seen_until,
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
    SELECT started_at FROM raw_snapshots
    WHERE resource_type = kind.resource_type AND applied_at IS NOT NULL AND scope <> 'keys' ORDER BY id DESC LIMIT 1
) AS listed ON true
LEFT JOIN LATERAL (
    SELECT applied_at, withheld FROM raw_snapshots
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
    WHERE resource_type = kind.resource_type AND status <> 'running' AND (scope <> 'keys' OR status = 'quarantined')
    ORDER BY id DESC LIMIT 1
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
            AND link.mapped_version IS DISTINCT FROM cached.updated_at
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
    op.add_column("raw_snapshots", sa.Column("absent_keys", ARRAY(sa.Text()), nullable=True))
    op.create_table(
        "jwp_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("webhook_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("event_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "received_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("snapshot_id", sa.BigInteger(), nullable=True),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["snapshot_id"], ["raw_snapshots.id"]),
        sa.UniqueConstraint(
            "key", "event_time", "event", "webhook_id", "site_id", "type", name="jwp_events_delivered_once"
        ),
    )
    waits, handled = sa.text("handled_at IS NULL"), sa.text("handled_at IS NOT NULL")
    op.create_index("jwp_events_waiting", "jwp_events", ["received_at"], postgresql_where=waits)
    op.create_index("jwp_events_snapshot", "jwp_events", ["snapshot_id"], postgresql_where=waits)
    op.create_index("jwp_events_handled", "jwp_events", ["handled_at"], postgresql_where=handled)
    op.execute(SYNC_STATUS)
