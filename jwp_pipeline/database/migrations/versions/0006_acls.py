"""What the sync remembers of ACLs and of its own deletions; columns whose names say what they hold."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

RENAMED = (
    ("videos", "looked_at", "mapped_version"),
    ("videos", "waits", "needs_full_sync"),
    ("videos", "returned", "reappeared"),
    ("channels", "looked_at", "mapped_version"),
)

# As far back as the cache and its change log go. v2 keeps the properties in `metadata`.
HAD_ACL = """
UPDATE videos
SET had_acl = true
WHERE EXISTS (
        SELECT FROM cached_resources AS cached
        WHERE cached.type = 'video' AND cached.key = videos.key
            AND (cached.data -> 'custom' ? 'sms_acl' OR cached.data -> 'metadata' -> 'custom_params' ? 'sms_acl')
    )
    OR EXISTS (
        SELECT FROM resource_changes AS change
        CROSS JOIN LATERAL (VALUES (0), (1)) AS side (number)
        WHERE change.type = 'video' AND change.key = videos.key
            AND (
                change.changed_fields -> 'custom' -> side.number ? 'sms_acl'
                OR change.changed_fields -> 'metadata' -> side.number -> 'custom_params' ? 'sms_acl'
            )
    )
"""

# Until now whatever was deleted while its video or channel lived came back with the next sync. So what is deleted today
# was deleted by a sync, but for an item or media channel whose video or channel is still there.
DELETED_BY_THE_SYNC = (
    """
    UPDATE videos SET item_deleted_at = item.deleted_at
    FROM media_items AS item
    WHERE item.id = videos.media_item_id AND (videos.deleted_at IS NOT NULL OR videos.reappeared)
        AND item.deleted_at IS NOT NULL
    """,
    """
    UPDATE channels SET media_channel_deleted_at = channel.deleted_at
    FROM media_channels AS channel
    WHERE channel.id = channels.media_channel_id AND channels.deleted_at IS NOT NULL AND channel.deleted_at IS NOT NULL
    """,
    """
    UPDATE channels SET playlist_deleted_at = playlist.deleted_at
    FROM playlists AS playlist
    WHERE playlist.media_channel_id = channels.media_channel_id AND playlist.deleted_at IS NOT NULL
    """,
)


def upgrade() -> None:
    # The view and all its tables at once, so that nobody who reads it holds one of them and waits for another.
    op.execute("LOCK TABLE sync_status IN ACCESS EXCLUSIVE MODE")
    for table, old, new in RENAMED:
        op.alter_column(table, old, new_column_name=new)
        _rename_not_null(table, old, new)
    op.add_column("videos", sa.Column("had_acl", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("videos", sa.Column("acl_state", sa.Text(), nullable=True))
    op.add_column("videos", sa.Column("view_digest", sa.BigInteger(), nullable=True))
    op.add_column("videos", sa.Column("item_deleted_at", sa.DateTime(timezone=True), nullable=True))
    for name in ("media_channel_deleted_at", "playlist_deleted_at"):
        op.add_column("channels", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    for statement in (HAD_ACL, *DELETED_BY_THE_SYNC):
        op.execute(statement)


def _rename_not_null(table: str, old: str, new: str) -> None:
    """From PostgreSQL 18 on, NOT NULL is a constraint, and its name keeps the one of the column it was made for."""
    op.execute(
        f"DO $$ BEGIN ALTER TABLE {table} RENAME CONSTRAINT {table}_{old}_not_null TO {table}_{new}_not_null;"
        " EXCEPTION WHEN undefined_object THEN NULL; END $$"
    )
