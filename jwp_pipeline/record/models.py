"""Defines the models of the record: videos, media items, channels and playlists, and what leads from one to another.

Each model maps a table of database/media_tables.py, which also says what each column means. The models name no schema:
the engine's search path decides which site they read. Put here what an application reads or asks of a row.
"""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, Session, deferred, relationship

from jwp_pipeline.database import media_tables
from jwp_pipeline.database.tables import Base, CachedResource
from jwp_pipeline.delivery import Source, embed_player, get_sources, player_embed_url, poster_url
from jwp_pipeline.delivery.urls import Moment, PlayerFormat
from jwp_pipeline.record.sessions import settings_of
from jwp_pipeline.settings import Settings
from jwp_pipeline.storable import UNSTORABLE, can_be_stored


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

    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]

    live = LiveRows()
    including_deleted = AllRows()


class BillingAccount(Base):
    """The institution in Lookup that pays for a channel."""

    __table__ = media_tables.billing_accounts

    id: Mapped[str]
    description: Mapped[str]
    lookup_instid: Mapped[str]
    created_at: Mapped[datetime]


class MediaChannel(SoftDeleted, Base):
    """A channel of the platform; the edit permission says who may change it."""

    __table__ = media_tables.media_channels

    id: Mapped[str]
    title: Mapped[str]
    description: Mapped[str]
    billing_account_id: Mapped[str]
    edit_is_public: Mapped[bool]
    edit_is_signed_in: Mapped[bool]
    edit_crsids: Mapped[list[str]]
    edit_lookup_groups: Mapped[list[str]]
    edit_lookup_insts: Mapped[list[str]]

    billing_account: Mapped[BillingAccount] = relationship(viewonly=True)
    items: Mapped[list[MediaItem]] = relationship(back_populates="channel", viewonly=True)
    playlist: Mapped[Playlist | None] = relationship(
        primaryjoin="and_(MediaChannel.id == foreign(Playlist.media_channel_id), Playlist.follows_channel)",
        viewonly=True,
        uselist=False,
    )
    playlists: Mapped[list[Playlist]] = relationship(viewonly=True)
    jwp_channel: Mapped[Channel | None] = relationship(back_populates="channel", viewonly=True, uselist=False)
    sms: Mapped[SmsCollection | None] = relationship(viewonly=True, uselist=False)


class MediaItem(SoftDeleted, Base):
    """A media item of the platform; the view permission says who may see it."""

    __table__ = media_tables.media_items

    id: Mapped[str]
    title: Mapped[str]
    description: Mapped[str]
    type: Mapped[str]
    duration: Mapped[float]
    published_at: Mapped[datetime]
    downloadable: Mapped[bool]
    language: Mapped[str]
    copyright: Mapped[str]
    tags: Mapped[list[str]]
    media_channel_id: Mapped[str | None]
    view_is_public: Mapped[bool]
    view_is_signed_in: Mapped[bool]
    view_crsids: Mapped[list[str]]
    view_lookup_groups: Mapped[list[str]]
    view_lookup_insts: Mapped[list[str]]
    searched_text: Mapped[Any] = deferred(media_tables.media_items.c.searched_text)

    channel: Mapped[MediaChannel | None] = relationship(back_populates="items", viewonly=True)
    video: Mapped[Video | None] = relationship(back_populates="item", viewonly=True, uselist=False)
    sms: Mapped[SmsMediaItem | None] = relationship(viewonly=True, uselist=False)

    def embed_url(
        self,
        format: PlayerFormat = "html",  # noqa: A002 - the name in the reference
        *,
        settings: Settings | None = None,
        now: Moment = None,
    ) -> str | None:
        """Return `Video.embed_url` of its video, or None if it has none at JW Platform."""
        video = self._playable
        return None if video is None else video.embed_url(format, settings=settings, now=now)

    def poster_url(self, width: int = 720, *, settings: Settings | None = None) -> str | None:
        """Return `Video.poster_url` of its video, or None if it has none at JW Platform."""
        video = self._playable
        return None if video is None else video.poster_url(width, settings=settings)

    @property
    def sources(self) -> list[Source]:
        """`Video.sources` of its video; empty if it has none at JW Platform."""
        video = self._playable
        return [] if video is None else video.sources

    @classmethod
    def matches(cls, words: str) -> ColumnElement[bool]:
        """Return the condition that title, tags or description match `words`, as people type them into a search box.

        Words may be quoted, joined by `or`, and excluded with a minus sign.
        """
        return cls.searched_text.op("@@")(func.websearch_to_tsquery("english", UNSTORABLE.sub(" ", words)))

    @property
    def _playable(self) -> Video | None:
        return None if self.video is None or self.video.deleted_at is not None else self.video


class Playlist(SoftDeleted, Base):
    """A playlist of a channel: items in order, repeats included.

    The one with `follows_channel` is kept in step with JW Platform; `MediaChannel.playlist` is that one.
    """

    __table__ = media_tables.playlists

    id: Mapped[str]
    media_channel_id: Mapped[str]
    title: Mapped[str]
    description: Mapped[str]
    media_item_ids: Mapped[list[str]]
    follows_channel: Mapped[bool]

    def items(self) -> Select[MediaItem]:
        """Return a query for its live items in order, repeats included, which callers can narrow.

        For example, `session.scalars(playlist.items().where(access.viewable_by(user)))` gives those that a user may
        view.
        """
        ids = func.unnest(literal(self.media_item_ids, ARRAY(Text)))
        members = ids.table_valued("id", with_ordinality="position", name="member").render_derived()
        return MediaItem.live.join(members, members.c.id == MediaItem.id).order_by(members.c.position)


class Video(Base):
    """The link from a JWP video to its media item, and what the sync remembers of it. Kept if the video is deleted."""

    __table__ = media_tables.videos

    key: Mapped[str]
    updated: Mapped[int]
    media_item_id: Mapped[str | None]
    item_deleted_at: Mapped[datetime | None]
    sms_media_id: Mapped[int | None]
    sms_last_updated_at: Mapped[datetime | None]
    mapped_version: Mapped[datetime | None]
    needs_full_sync: Mapped[bool]
    wants_item: Mapped[bool]
    reappeared: Mapped[bool]
    had_acl: Mapped[bool]
    acl_state: Mapped[str | None]
    view_digest: Mapped[int | None]
    pushed_updated: Mapped[int | None]
    pushed_at: Mapped[datetime | None]
    awaits_listing: Mapped[bool]
    deleted_at: Mapped[datetime | None]

    live = LiveRows()
    including_deleted = AllRows()
    item: Mapped[MediaItem | None] = relationship(back_populates="video", viewonly=True)
    resource: Mapped[CachedResource | None] = relationship(
        primaryjoin="and_(foreign(Video.key) == CachedResource.key, CachedResource.type == 'video')", viewonly=True
    )

    def embed_url(
        self,
        format: PlayerFormat = "html",  # noqa: A002 - the name in the reference
        *,
        settings: Settings | None = None,
        now: Moment = None,
    ) -> str:
        """Return the signed URL of a page (`html`) or script (`js`) that plays this video in the site's player.

        The URL plays the video for everybody who has it until it expires, so show it only to those who may view the
        item. Computing it needs no network. Raises SettingsError.
        """
        settings = settings or settings_of(self)
        return player_embed_url(self.key, embed_player(settings), format, settings=settings, now=now)

    def content_url(
        self,
        format: PlayerFormat = "html",  # noqa: A002 - the name in the reference
        *,
        settings: Settings | None = None,
        now: Moment = None,
    ) -> str:
        """Return `embed_url` at JWPLATFORM_CONTENT_BASE_URL, which the reference gives to other sites (JSON-LD)."""
        settings = settings or settings_of(self)
        base, player = settings.jwplatform_content_base_url, embed_player(settings)
        return player_embed_url(self.key, player, format, settings=settings, now=now, base=base)

    def poster_url(self, width: int = 720, *, settings: Settings | None = None) -> str:
        """Return the URL of a still picture of this video. It is not signed. Raises ValueError for other widths."""
        return poster_url(self.key, width, settings=settings or settings_of(self))

    def get_sources(self, *, settings: Settings | None = None, now: Moment = None) -> list[Source]:
        """Ask JW Platform for the files and streams of this video; none while it is transcoded.

        One request. Raises SettingsError and DeliveryError.
        """
        return get_sources(self.key, settings=settings or settings_of(self), now=now)

    @cached_property
    def sources(self) -> list[Source]:
        """What `get_sources()` returns, asked once for this object."""
        return self.get_sources()

    @classmethod
    def from_key(cls, session: Session, key: str) -> Video | None:
        """Return the live video with this JWP key, or None."""
        return session.scalars(cls.live.where(cls.key == key)).one_or_none() if can_be_stored(key) else None

    @classmethod
    def from_media_id(cls, session: Session, media_id: int, preferred_media_type: str = "video") -> Video | None:
        """Return a live video that claims the SMS id `media_id`, or None.

        Of several videos, one whose item has the preferred type comes first, and then the one with the smallest key.
        """
        if not can_be_stored(media_id):
            return None
        # No item has a type that cannot be stored, and none has an empty one either.
        preferred = preferred_media_type if can_be_stored(preferred_media_type) else ""
        claims = (
            select(cls)
            .join(MediaItem, MediaItem.id == cls.media_item_id, isouter=True)
            .where(cls.sms_media_id == media_id, cls.deleted_at.is_(None))
            .order_by(MediaItem.type.is_distinct_from(preferred), cls.key.collate("C"))
            .limit(1)
        )
        return session.scalars(claims).one_or_none()


class Channel(Base):
    """The link from a JWP channel (in v2, a manual playlist) to its media channel, with the SMS ids of its items."""

    __table__ = media_tables.channels

    key: Mapped[str]
    updated: Mapped[int]
    media_channel_id: Mapped[str | None]
    media_channel_deleted_at: Mapped[datetime | None]
    playlist_deleted_at: Mapped[datetime | None]
    sms_collection_id: Mapped[int | None]
    sms_last_updated_at: Mapped[datetime | None]
    wants_playlist: Mapped[bool]
    media_ids: Mapped[list[int] | None]
    mapped_version: Mapped[datetime | None]
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
        if not can_be_stored(collection_id):
            return None
        claims = cls.live.where(cls.sms_collection_id == collection_id).order_by(cls.key.collate("C")).limit(1)
        return session.scalars(claims).one_or_none()


class SmsMediaItem(Base):
    """The SMS id of a media item whose video is live, even if the item was withdrawn here."""

    __table__ = media_tables.sms_media_items

    id: Mapped[int]
    media_item_id: Mapped[str]
    last_updated_at: Mapped[datetime | None]


class SmsCollection(Base):
    """The SMS id of a live channel, and its playlist."""

    __table__ = media_tables.sms_collections

    id: Mapped[int]
    media_channel_id: Mapped[str]
    playlist_id: Mapped[str | None]
    last_updated_at: Mapped[datetime | None]
