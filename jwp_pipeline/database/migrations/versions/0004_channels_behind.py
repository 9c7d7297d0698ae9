"""A channel that changed and was not followed counts as behind, as a video does."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

# One row a type: in step as of when, what both sides hold, what stands in the way.
SYNC_STATUS = """
CREATE OR REPLACE VIEW sync_status AS
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
    (
        SELECT count(*)
        FROM cached_resources AS cached
        LEFT JOIN (
            SELECT 'video' AS type, key, looked_at, deleted_at FROM videos
            UNION ALL
            SELECT 'channel' AS type, key, looked_at, deleted_at FROM channels
        ) AS link USING (type, key)
        WHERE cached.type = kind.resource_type AND (
            CASE WHEN cached.deleted_at IS NULL THEN link.looked_at IS DISTINCT FROM cached.updated_at
            ELSE link.key IS NOT NULL AND link.deleted_at IS NULL END
        )
    ) AS behind,
    CASE WHEN newest.status = 'quarantined' THEN newest.id END AS quarantined_snapshot,
    CASE WHEN newest.status IN ('quarantined', 'failed', 'incomplete') THEN newest.status END AS newest_read,
    CASE WHEN newest.status IN ('quarantined', 'failed', 'incomplete') THEN newest.problem END AS problem,
    (
        SELECT count(*) FROM sync_problems
        WHERE sync_problems.type = kind.resource_type AND sync_problems.resolved_at IS NULL
    ) AS open_problems
FROM (VALUES ('video'), ('channel')) AS kind (resource_type)
LEFT JOIN LATERAL (
    SELECT started_at, key_count FROM raw_snapshots
    WHERE resource_type = kind.resource_type AND applied_at IS NOT NULL AND complete ORDER BY id DESC LIMIT 1
) AS verified ON true
LEFT JOIN LATERAL (
    SELECT started_at FROM raw_snapshots
    WHERE resource_type = kind.resource_type AND applied_at IS NOT NULL ORDER BY id DESC LIMIT 1
) AS applied ON true
LEFT JOIN LATERAL (
    SELECT id, status, problem FROM raw_snapshots
    WHERE resource_type = kind.resource_type AND status <> 'running' ORDER BY id DESC LIMIT 1
) AS newest ON true
"""


def upgrade() -> None:
    op.add_column("channels", sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(SYNC_STATUS)
