"""What the media side remembers between two syncs, and indexes that answer without reading data.

A channel that changed and was not followed counts as behind, as a video does. A return, and the wish for an item, last
until they are followed. Members of playlists are kept as they are told, apart from the channels.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0004"
down_revision = "0003"

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
    SELECT started_at, applied_at FROM raw_snapshots
    WHERE resource_type = kind.resource_type AND applied_at IS NOT NULL ORDER BY id DESC LIMIT 1
) AS applied ON true
LEFT JOIN LATERAL (
    SELECT id, status, problem FROM raw_snapshots
    WHERE resource_type = kind.resource_type AND status <> 'running' ORDER BY id DESC LIMIT 1
) AS newest ON true
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
    # The data of a large library is gigabytes: what is asked of all rows at every sync is answered by an index alone.
    op.drop_index("cached_resources_type", "cached_resources")
    op.create_index(
        "cached_resources_live",
        "cached_resources",
        ["type", "key", "updated_at"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.drop_index("media_items_deleted_at", "media_items")
    op.create_index("media_items_deleted_at", "media_items", ["deleted_at", "id"])
    op.add_column("channels", sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(SYNC_STATUS)
    for name in ("wants_item", "returned"):
        op.add_column("videos", sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_table(
        "playlist_members",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("member_keys", ARRAY(sa.Text()), nullable=True),
        sa.Column("members_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("key"),
    )
    op.execute(
        "INSERT INTO playlist_members (key, member_keys, members_at)"
        " SELECT key, member_keys, members_at FROM channels WHERE members_at IS NOT NULL"
    )
    op.drop_column("channels", "member_keys")
    op.drop_column("channels", "members_at")
