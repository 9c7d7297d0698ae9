"""Defines the tables of media items, channels and playlists, and of their links to JWP.

The ids of items, channels and playlists are URL-safe random tokens of 11 characters. A row that is deleted and later
restored keeps its id. Rows are soft-deleted: `deleted_at` is NULL while a row is live. Put here the tables of the media
side; media/ keeps them in step with the cache, and the models that applications read them with are in record/.
"""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Float,
    ForeignKey,
    Index,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR

from jwp_pipeline.database.tables import Base, Timestamp

NOW = text("now()")
NO_TEXTS = text("'{}'::text[]")
FALSE = text("false")

# A tsvector holds at most 1 MB, and a single huge text must not stop a sync. Each of the three parts has at most 30,000
# characters of up to 4 bytes, and a word with hyphens is stored twice, as a whole and in parts.
SEARCHED_TEXT = (
    "setweight(to_tsvector('english', left(title, 30000)), 'A')"
    " || setweight(to_tsvector('english', left(array_as_text(tags), 30000)), 'B')"
    " || setweight(to_tsvector('english', left(description, 30000)), 'C')"
)


def new_id() -> str:
    """Return a new id for an item, a channel or a playlist: 64 random bits as 11 URL-safe characters."""
    return secrets.token_urlsafe(8)


def _soft_delete() -> tuple[Column[datetime], ...]:
    """Return the columns that every table of soft-deleted rows has."""
    return (
        Column("created_at", Timestamp, server_default=NOW, nullable=False),
        Column(
            "updated_at",
            Timestamp,
            server_default=NOW,
            comment="Moves only when a field really changes or the row is restored.",
            nullable=False,
        ),
        Column("deleted_at", Timestamp),
    )


billing_accounts = Table(
    "billing_accounts",
    Base.metadata,
    Column("id", Text, primary_key=True),
    Column("description", Text, nullable=False),
    Column("lookup_instid", Text, index=True, comment="Several accounts may be of one institution.", nullable=False),
    Column("created_at", Timestamp, server_default=NOW, nullable=False),
)
"""The institution in Lookup that pays for a channel."""

media_channels = Table(
    "media_channels",
    Base.metadata,
    Column("id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("billing_account_id", Text, ForeignKey("billing_accounts.id"), nullable=False),
    Column("edit_is_public", Boolean, server_default=FALSE, nullable=False),
    Column("edit_is_signed_in", Boolean, server_default=FALSE, nullable=False),
    Column("edit_crsids", ARRAY(Text), server_default=NO_TEXTS, nullable=False),
    Column("edit_lookup_groups", ARRAY(Text), server_default=NO_TEXTS, nullable=False),
    Column("edit_lookup_insts", ARRAY(Text), server_default=NO_TEXTS, nullable=False),
    *_soft_delete(),
)
"""A channel of the platform; the edit permission says who may change it."""

media_items = Table(
    "media_items",
    Base.metadata,
    Column("id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("type", Text, comment="video | audio | unknown.", nullable=False),
    Column("duration", Float, comment="Seconds.", nullable=False),
    Column("published_at", Timestamp, nullable=False),
    Column("downloadable", Boolean, server_default=FALSE, nullable=False),
    Column("language", Text, nullable=False),
    Column("copyright", Text, nullable=False),
    Column("tags", ARRAY(Text), server_default=NO_TEXTS, nullable=False),
    Column("media_channel_id", Text, ForeignKey("media_channels.id")),
    Column("view_is_public", Boolean, server_default=FALSE, nullable=False),
    Column("view_is_signed_in", Boolean, server_default=FALSE, nullable=False),
    Column("view_crsids", ARRAY(Text), server_default=NO_TEXTS, nullable=False),
    Column("view_lookup_groups", ARRAY(Text), server_default=NO_TEXTS, nullable=False),
    Column("view_lookup_insts", ARRAY(Text), server_default=NO_TEXTS, nullable=False),
    Column("searched_text", TSVECTOR, Computed(SEARCHED_TEXT, persisted=True), nullable=False),
    *_soft_delete(),
    Index("media_items_deleted_at", "deleted_at", "id"),
    Index("media_items_published_at", "published_at"),
    Index("media_items_updated_at", "updated_at"),
    Index("media_items_channel", "media_channel_id"),
    Index("media_items_tags", "tags", postgresql_using="gin"),
    Index("media_items_search", "searched_text", postgresql_using="gin"),
)
"""A media item of the platform; the view permission says who may see it."""

playlists = Table(
    "playlists",
    Base.metadata,
    Column("id", Text, primary_key=True),
    Column("media_channel_id", Text, ForeignKey("media_channels.id"), index=True, nullable=False),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("media_item_ids", ARRAY(Text), server_default=NO_TEXTS, nullable=False),
    Column(
        "follows_channel",
        Boolean,
        server_default=text("true"),
        comment="Whether it is the one playlist of its channel that a sync keeps in step with JW Platform. The others "
        "are those that people made in media-webapp.",
        nullable=False,
    ),
    *_soft_delete(),
    Index("playlists_of_channels", "media_channel_id", unique=True, postgresql_where=text("follows_channel")),
)
"""A playlist of a channel: items in order, repeats included. The one that follows the channel has live items only."""

videos = Table(
    "videos",
    Base.metadata,
    Column("key", Text, primary_key=True),
    Column(
        "updated",
        BigInteger,
        comment="The highest JWP `updated` ever synchronised, whole seconds since the epoch.",
        nullable=False,
    ),
    Column("media_item_id", Text, ForeignKey("media_items.id"), unique=True),
    Column(
        "item_deleted_at",
        Timestamp,
        comment="When the sync last deleted the item. One with another `deleted_at` was withdrawn here, and stays so.",
    ),
    Column(
        "sms_media_id",
        BigInteger,
        comment="The SMS id that the video claimed when last synchronised; sms_media_items says who owns it.",
    ),
    Column("sms_last_updated_at", Timestamp),
    Column("mapped_version", Timestamp, comment="`updated_at` of the cached resource when the video was last read."),
    Column(
        "needs_full_sync",
        Boolean,
        server_default=FALSE,
        comment="Its content changed without a newer `updated`: only a full resync will follow.",
        nullable=False,
    ),
    Column(
        "wants_item",
        Boolean,
        server_default=FALSE,
        comment="Whether, when last read, it called for a media item of its own accord.",
        nullable=False,
    ),
    Column(
        "reappeared",
        Boolean,
        server_default=FALSE,
        comment="It was gone since it was last read: the next sync starts its stamp anew and synchronises its item.",
        nullable=False,
    ),
    Column(
        "had_acl",
        Boolean,
        server_default=FALSE,
        comment="Whether it ever had an sms_acl, readable or not, as far back as is known.",
        nullable=False,
    ),
    Column(
        "acl_state",
        Text,
        comment="absent | read | unreadable | vanished: its sms_acl when last read. After one that is unreadable or "
        "has vanished, the item's permission stays as it was until there is one again. NULL until the video is read.",
    ),
    Column(
        "view_digest",
        BigInteger,
        comment="Digest of the item's view permission as the last sync under JWP_STRICT_ACLS left it. When the item's "
        "own differs, somebody changed it here, and the next sync compares it with the ACL.",
    ),
    Column(
        "pushed_updated",
        BigInteger,
        comment="JWP's `updated` as it answered the last push. An older listing leaves the pushed fields alone.",
    ),
    Column("pushed_at", Timestamp, comment="When that answer was recorded."),
    Column(
        "awaits_listing",
        Boolean,
        server_default=FALSE,
        comment="The next listing that is as new as the last push will be followed, even if `updated` is not newer.",
        nullable=False,
    ),
    Column("deleted_at", Timestamp),
    Index("videos_sms_media_id", "sms_media_id"),
)
"""The link from a JWP video to its media item, and what the sync remembers of it. Kept if the video is deleted."""

channels = Table(
    "channels",
    Base.metadata,
    Column("key", Text, primary_key=True),
    Column(
        "updated",
        BigInteger,
        comment="JWP's stamp, whole seconds since the epoch; 0 where there is none, as in v1.",
        nullable=False,
    ),
    Column("media_channel_id", Text, ForeignKey("media_channels.id"), unique=True),
    Column(
        "media_channel_deleted_at",
        Timestamp,
        comment="When the sync last deleted the media channel. One with another `deleted_at` was withdrawn here.",
    ),
    Column(
        "playlist_deleted_at",
        Timestamp,
        comment="When the sync last deleted the playlist. One with another `deleted_at` was withdrawn here.",
    ),
    Column("sms_collection_id", BigInteger),
    Column("sms_last_updated_at", Timestamp),
    Column("wants_playlist", Boolean, server_default=FALSE, nullable=False),
    Column("media_ids", ARRAY(BigInteger), comment="SMS ids of its items in order; NULL when it lists none itself."),
    Column(
        "mapped_version",
        Timestamp,
        comment="`updated_at` of the cached resource when channel and playlist were last brought in step with it.",
    ),
    Column("deleted_at", Timestamp),
)
"""The link from a JWP channel (in v2, a manual playlist) to its media channel, with the SMS ids of its items."""

playlist_members = Table(
    "playlist_members",
    Base.metadata,
    Column("key", Text, primary_key=True, comment="Of the playlist, which may be gone."),
    Column("member_keys", ARRAY(Text), comment="JWP keys in order; NULL when they were never read."),
    Column("members_at", Timestamp, comment="`updated_at` of the cached resource when they were last read."),
    Column("problem", Text, comment="What was wrong when it was last asked, though they may be of an earlier time."),
)
"""JW Platform's last answer about the members of a v2 playlist; a cache, like cached_resources."""

sms_media_items = Table(
    "sms_media_items",
    Base.metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("media_item_id", Text, ForeignKey("media_items.id"), index=True, nullable=False),
    Column("last_updated_at", Timestamp),
)
"""The SMS id of a media item whose video is live, even if the item was withdrawn here."""

sms_collections = Table(
    "sms_collections",
    Base.metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("media_channel_id", Text, ForeignKey("media_channels.id"), index=True, nullable=False),
    Column("playlist_id", Text, ForeignKey("playlists.id"), index=True),
    Column("last_updated_at", Timestamp),
)
"""The SMS id of a live channel, and its playlist."""

unfollowed_writes = Table(
    "unfollowed_writes",
    Base.metadata,
    Column("id", Uuid, primary_key=True, server_default=text("gen_random_uuid()")),
    Column("written_at", Timestamp, server_default=NOW, comment="When the transaction began.", nullable=False),
)
"""One row for each transaction that wrote to the tables of the media side since the last sync of everything."""

media_side = Table(
    "media_side",
    Base.metadata,
    Column(
        "singleton",
        Boolean,
        primary_key=True,
        server_default=text("true"),
        comment="Always true, so that there is one row at the most.",
    ),
    Column("options", Text, comment="The settings and the version that it ran with.", nullable=False),
    Column("followed_at", Timestamp, comment="When it ran.", nullable=False),
    Column("live", JSONB, comment="{table: number of live rows} after it.", nullable=False),
    Column("open_problems", BigInteger, comment="How many problems it left that every sync looks for.", nullable=False),
    Column("violations", JSONB, comment="{check: [count, sample …]} after it; NULL until the checks have run."),
    CheckConstraint("singleton", name="media_side_singleton"),
)
"""What the last sync of everything left. While `unfollowed_writes` is empty, that is still so."""
