"""Defines the tables of media items, channels and playlists, and of their links to JWP, as SQLAlchemy models.

The ids of items, channels and playlists are URL-safe random tokens of 11 characters. A row that is deleted and later
restored keeps its id. Rows are soft-deleted: `deleted_at` is NULL while a row is live. Put here the tables of the media
side; media/ keeps them in step with the cache.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Computed, ForeignKey, Index, Select, select, text
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from jwp_pipeline.database.tables import Base, CachedResource

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


class LiveRows:
    """A class attribute whose value is a query for the rows that are not deleted."""

    def __get__(self, instance: object, owner: type[Any]) -> Select[Any]:
        return select(owner).where(owner.deleted_at.is_(None))


class AllRows:
    """A class attribute whose value is a query for all rows, including deleted ones."""

    def __get__(self, instance: object, owner: type[Any]) -> Select[Any]:
        return select(owner)


class SoftDeleted:
    """Columns of soft-deleted rows. `Model.live` is a query for live rows, `Model.including_deleted` for all rows."""

    created_at: Mapped[datetime] = mapped_column(server_default=NOW)
    updated_at: Mapped[datetime] = mapped_column(
        server_default=NOW, comment="Moves only when a field really changes or the row is restored."
    )
    deleted_at: Mapped[datetime | None]

    live = LiveRows()
    including_deleted = AllRows()


class BillingAccount(Base):
    """The institution in Lookup that pays for a channel."""

    __tablename__ = "billing_accounts"

    id: Mapped[str] = mapped_column(primary_key=True)
    description: Mapped[str]
    lookup_instid: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=NOW)


class MediaChannel(SoftDeleted, Base):
    """A channel of the platform; the edit permission says who may change it."""

    __tablename__ = "media_channels"

    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    description: Mapped[str]
    billing_account_id: Mapped[str] = mapped_column(ForeignKey("billing_accounts.id"))
    edit_is_public: Mapped[bool] = mapped_column(server_default=FALSE)
    edit_is_signed_in: Mapped[bool] = mapped_column(server_default=FALSE)
    edit_crsids: Mapped[list[str]] = mapped_column(server_default=NO_TEXTS)
    edit_lookup_groups: Mapped[list[str]] = mapped_column(server_default=NO_TEXTS)
    edit_lookup_insts: Mapped[list[str]] = mapped_column(server_default=NO_TEXTS)

    billing_account: Mapped[BillingAccount] = relationship(viewonly=True)
    items: Mapped[list[MediaItem]] = relationship(back_populates="channel", viewonly=True)
    playlist: Mapped[Playlist | None] = relationship(viewonly=True, uselist=False)
    jwp_channel: Mapped[Channel | None] = relationship(back_populates="channel", viewonly=True, uselist=False)


class MediaItem(SoftDeleted, Base):
    """A media item of the platform; the view permission says who may see it."""

    __tablename__ = "media_items"

    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    description: Mapped[str]
    type: Mapped[str] = mapped_column(comment="video | audio | unknown.")
    duration: Mapped[float] = mapped_column(comment="Seconds.")
    published_at: Mapped[datetime]
    downloadable: Mapped[bool] = mapped_column(server_default=FALSE)
    language: Mapped[str]
    copyright: Mapped[str]
    tags: Mapped[list[str]] = mapped_column(server_default=NO_TEXTS)
    media_channel_id: Mapped[str | None] = mapped_column(ForeignKey("media_channels.id"))
    view_is_public: Mapped[bool] = mapped_column(server_default=FALSE)
    view_is_signed_in: Mapped[bool] = mapped_column(server_default=FALSE)
    view_crsids: Mapped[list[str]] = mapped_column(server_default=NO_TEXTS)
    view_lookup_groups: Mapped[list[str]] = mapped_column(server_default=NO_TEXTS)
    view_lookup_insts: Mapped[list[str]] = mapped_column(server_default=NO_TEXTS)
    searched_text: Mapped[Any] = mapped_column(TSVECTOR, Computed(SEARCHED_TEXT, persisted=True), deferred=True)

    channel: Mapped[MediaChannel | None] = relationship(back_populates="items", viewonly=True)
    video: Mapped[Video | None] = relationship(back_populates="item", viewonly=True, uselist=False)
    sms: Mapped[SmsMediaItem | None] = relationship(viewonly=True, uselist=False)

    __table_args__ = (
        Index("media_items_deleted_at", "deleted_at", "id"),
        Index("media_items_published_at", "published_at"),
        Index("media_items_updated_at", "updated_at"),
        Index("media_items_channel", "media_channel_id"),
        Index("media_items_tags", "tags", postgresql_using="gin"),
        Index("media_items_search", "searched_text", postgresql_using="gin"),
    )


class Playlist(SoftDeleted, Base):
    """A channel's playlist: its live items in order, repeats included."""

    __tablename__ = "playlists"

    id: Mapped[str] = mapped_column(primary_key=True)
    media_channel_id: Mapped[str] = mapped_column(ForeignKey("media_channels.id"), unique=True)
    title: Mapped[str]
    description: Mapped[str]
    media_item_ids: Mapped[list[str]] = mapped_column(server_default=NO_TEXTS)


class Video(Base):
    """The link from a JWP video to its media item, and what the sync remembers of it. Kept if the video is deleted."""

    __tablename__ = "videos"

    key: Mapped[str] = mapped_column(primary_key=True)
    updated: Mapped[int] = mapped_column(
        BigInteger, comment="The highest JWP `updated` ever synchronised, whole seconds since the epoch."
    )
    media_item_id: Mapped[str | None] = mapped_column(ForeignKey("media_items.id"), unique=True)
    item_deleted_at: Mapped[datetime | None] = mapped_column(
        comment="When the sync last deleted the item. One with another `deleted_at` was withdrawn here, and stays so."
    )
    sms_media_id: Mapped[int | None] = mapped_column(
        BigInteger,
        comment="The SMS id that the video claimed when last synchronised; sms_media_items says who owns it.",
    )
    sms_last_updated_at: Mapped[datetime | None]
    mapped_version: Mapped[datetime | None] = mapped_column(
        comment="`updated_at` of the cached resource when the video was last read."
    )
    needs_full_sync: Mapped[bool] = mapped_column(
        server_default=FALSE,
        comment="Its content changed without a newer `updated`: only a full resync will follow.",
    )
    wants_item: Mapped[bool] = mapped_column(
        server_default=FALSE, comment="Whether, when last read, it called for a media item of its own accord."
    )
    reappeared: Mapped[bool] = mapped_column(
        server_default=FALSE,
        comment="It was gone since it was last read: the next sync starts its stamp anew and synchronises its item.",
    )
    had_acl: Mapped[bool] = mapped_column(
        server_default=FALSE, comment="Whether it ever had an sms_acl, readable or not, as far back as is known."
    )
    acl_state: Mapped[str | None] = mapped_column(
        comment="absent | read | unreadable | vanished: its sms_acl when last read. After one that is unreadable or "
        "has vanished, the item's permission stays as it was until there is one again. NULL until the video is read."
    )
    view_digest: Mapped[int | None] = mapped_column(
        BigInteger,
        comment="Digest of the item's view permission as the last sync under JWP_STRICT_ACLS left it. When the item's "
        "own differs, somebody changed it here, and the next sync compares it with the ACL.",
    )
    deleted_at: Mapped[datetime | None]

    live = LiveRows()
    including_deleted = AllRows()
    item: Mapped[MediaItem | None] = relationship(back_populates="video", viewonly=True)
    resource: Mapped[CachedResource | None] = relationship(
        primaryjoin="and_(foreign(Video.key) == CachedResource.key, CachedResource.type == 'video')", viewonly=True
    )

    @classmethod
    def from_key(cls, session: Session, key: str) -> Video | None:
        """Return the live video with this JWP key, or None."""
        return session.scalars(cls.live.where(cls.key == key)).one_or_none()

    @classmethod
    def from_media_id(cls, session: Session, media_id: int, preferred_media_type: str = "video") -> Video | None:
        """Return a live video that claims the SMS id `media_id`, or None.

        Of several videos, one whose item has the preferred type comes first, and then the one with the smallest key.
        """
        claims = (
            select(cls)
            .join(MediaItem, MediaItem.id == cls.media_item_id, isouter=True)
            .where(cls.sms_media_id == media_id, cls.deleted_at.is_(None))
            .order_by(MediaItem.type.is_distinct_from(preferred_media_type), cls.key.collate("C"))
            .limit(1)
        )
        return session.scalars(claims).one_or_none()

    __table_args__ = (Index("videos_sms_media_id", "sms_media_id"),)


class Channel(Base):
    """The link from a JWP channel (in v2, a manual playlist) to its media channel, with the SMS ids of its items."""

    __tablename__ = "channels"

    key: Mapped[str] = mapped_column(primary_key=True)
    updated: Mapped[int] = mapped_column(
        BigInteger, comment="JWP's stamp, whole seconds since the epoch; 0 where there is none, as in v1."
    )
    media_channel_id: Mapped[str | None] = mapped_column(ForeignKey("media_channels.id"), unique=True)
    media_channel_deleted_at: Mapped[datetime | None] = mapped_column(
        comment="When the sync last deleted the media channel. One with another `deleted_at` was withdrawn here."
    )
    playlist_deleted_at: Mapped[datetime | None] = mapped_column(
        comment="When the sync last deleted the playlist. One with another `deleted_at` was withdrawn here."
    )
    sms_collection_id: Mapped[int | None] = mapped_column(BigInteger)
    sms_last_updated_at: Mapped[datetime | None]
    wants_playlist: Mapped[bool] = mapped_column(server_default=FALSE)
    media_ids: Mapped[list[int] | None] = mapped_column(
        ARRAY(BigInteger), comment="SMS ids of its items in order; NULL when it lists none itself."
    )
    mapped_version: Mapped[datetime | None] = mapped_column(
        comment="`updated_at` of the cached resource when channel and playlist were last brought in step with it."
    )
    deleted_at: Mapped[datetime | None]

    live = LiveRows()
    including_deleted = AllRows()
    channel: Mapped[MediaChannel | None] = relationship(back_populates="jwp_channel", viewonly=True)
    resource: Mapped[CachedResource | None] = relationship(
        primaryjoin="and_(foreign(Channel.key) == CachedResource.key, CachedResource.type == 'channel')", viewonly=True
    )

    @classmethod
    def from_collection_id(cls, session: Session, collection_id: int) -> Channel | None:
        """Return the live channel that claims SMS collection `collection_id`, or None.

        Of several channels, the one with the smallest key is returned.
        """
        claims = cls.live.where(cls.sms_collection_id == collection_id).order_by(cls.key.collate("C")).limit(1)
        return session.scalars(claims).one_or_none()


class PlaylistMembers(Base):
    """JW Platform's last answer about the members of a v2 playlist; a cache, like cached_resources."""

    __tablename__ = "playlist_members"

    key: Mapped[str] = mapped_column(primary_key=True, comment="Of the playlist, which may be gone.")
    member_keys: Mapped[list[str] | None] = mapped_column(comment="JWP keys in order; NULL when they were never read.")
    members_at: Mapped[datetime | None] = mapped_column(
        comment="`updated_at` of the cached resource when they were last read."
    )
    problem: Mapped[str | None] = mapped_column(
        comment="What was wrong when it was last asked, though they may be of an earlier time."
    )


class SmsMediaItem(Base):
    """The SMS id of a live media item."""

    __tablename__ = "sms_media_items"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    media_item_id: Mapped[str] = mapped_column(ForeignKey("media_items.id"), index=True)
    last_updated_at: Mapped[datetime | None]


class SmsCollection(Base):
    """The SMS id of a live channel, and its playlist."""

    __tablename__ = "sms_collections"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    media_channel_id: Mapped[str] = mapped_column(ForeignKey("media_channels.id"), index=True)
    playlist_id: Mapped[str | None] = mapped_column(ForeignKey("playlists.id"), index=True)
    last_updated_at: Mapped[datetime | None]
