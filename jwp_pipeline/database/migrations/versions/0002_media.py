"""The platform's own record: media items, channels, playlists, and their links to JWP."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR

revision = "0002"
down_revision = "0001"

SEARCHED_TEXT = (
    "setweight(to_tsvector('english', left(title, 30000)), 'A')"
    " || setweight(to_tsvector('english', left(array_as_text(tags), 30000)), 'B')"
    " || setweight(to_tsvector('english', left(description, 30000)), 'C')"
)

# One row a type: in step as of when, what both sides hold, what stands in the way.
SYNC_STATUS = """
CREATE VIEW sync_status AS
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
    CASE kind.resource_type
        WHEN 'video' THEN (
            SELECT count(*) FROM cached_resources AS cached LEFT JOIN videos ON videos.key = cached.key
            WHERE cached.type = 'video' AND (
                CASE WHEN cached.deleted_at IS NULL THEN videos.looked_at IS DISTINCT FROM cached.updated_at
                ELSE videos.key IS NOT NULL AND videos.deleted_at IS NULL END
            )
        )
        ELSE (
            SELECT count(*) FROM cached_resources AS cached LEFT JOIN channels ON channels.key = cached.key
            WHERE cached.type = 'channel'
                AND (cached.deleted_at IS NULL) <> (channels.key IS NOT NULL AND channels.deleted_at IS NULL)
        )
    END AS behind,
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
    # array_to_string is only STABLE, since it serves all types; for texts it is immutable, as a generated column asks.
    op.execute(
        "CREATE FUNCTION array_as_text(texts text[]) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE"
        " RETURN array_to_string(texts, ' ')"
    )
    op.create_table(
        "billing_accounts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("lookup_instid", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("lookup_instid"),
    )
    op.create_table(
        "media_channels",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("billing_account_id", sa.Text(), nullable=False),
        sa.Column("edit_is_public", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("edit_is_signed_in", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("edit_crsids", ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("edit_lookup_groups", ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("edit_lookup_insts", ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["billing_account_id"],
            ["billing_accounts.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "channels",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.Column("media_channel_id", sa.Text(), nullable=True),
        sa.Column("sms_collection_id", sa.BigInteger(), nullable=True),
        sa.Column("sms_last_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wants_playlist", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("media_ids", ARRAY(sa.BigInteger()), nullable=True),
        sa.Column("member_keys", ARRAY(sa.Text()), nullable=True),
        sa.Column("members_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["media_channel_id"],
            ["media_channels.id"],
        ),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("media_channel_id"),
    )
    op.create_table(
        "media_items",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("duration", sa.Double(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("downloadable", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("copyright", sa.Text(), nullable=False),
        sa.Column("tags", ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("media_channel_id", sa.Text(), nullable=True),
        sa.Column("view_is_public", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("view_is_signed_in", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("view_crsids", ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("view_lookup_groups", ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("view_lookup_insts", ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("searched_text", TSVECTOR(), sa.Computed(SEARCHED_TEXT, persisted=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["media_channel_id"],
            ["media_channels.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("media_items_channel", "media_items", ["media_channel_id"], unique=False)
    op.create_index("media_items_deleted_at", "media_items", ["deleted_at"], unique=False)
    op.create_index("media_items_published_at", "media_items", ["published_at"], unique=False)
    op.create_index("media_items_search", "media_items", ["searched_text"], unique=False, postgresql_using="gin")
    op.create_index("media_items_tags", "media_items", ["tags"], unique=False, postgresql_using="gin")
    op.create_index("media_items_updated_at", "media_items", ["updated_at"], unique=False)
    op.create_table(
        "playlists",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("media_channel_id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("media_item_ids", ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["media_channel_id"],
            ["media_channels.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("media_channel_id"),
    )
    op.create_table(
        "sms_collections",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("media_channel_id", sa.Text(), nullable=False),
        sa.Column("playlist_id", sa.Text(), nullable=True),
        sa.Column("last_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["media_channel_id"],
            ["media_channels.id"],
        ),
        sa.ForeignKeyConstraint(
            ["playlist_id"],
            ["playlists.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_sms_collections_media_channel_id"), "sms_collections", ["media_channel_id"], unique=False)
    op.create_index(op.f("ix_sms_collections_playlist_id"), "sms_collections", ["playlist_id"], unique=False)
    op.create_table(
        "sms_media_items",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("media_item_id", sa.Text(), nullable=False),
        sa.Column("last_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["media_item_id"],
            ["media_items.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_sms_media_items_media_item_id"), "sms_media_items", ["media_item_id"], unique=False)
    op.create_table(
        "videos",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.Column("media_item_id", sa.Text(), nullable=True),
        sa.Column("sms_media_id", sa.BigInteger(), nullable=True),
        sa.Column("sms_last_updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("waits", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["media_item_id"],
            ["media_items.id"],
        ),
        sa.PrimaryKeyConstraint("key"),
        sa.UniqueConstraint("media_item_id"),
    )
    op.create_index("videos_sms_media_id", "videos", ["sms_media_id"], unique=False)
    op.execute(SYNC_STATUS)
