"""Reads our tables into states of the same form as the golden ones, with JWP keys because our own ids are random."""

from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from jwp_pipeline.database.tables import CachedResource, SyncProblem
from jwp_pipeline.record.models import (
    Channel,
    MediaChannel,
    MediaItem,
    Playlist,
    SmsCollection,
    SmsMediaItem,
    Video,
)

NOW = "NOW"
"""Stands for a time at some moment during a sync."""

MEDIA_TABLES = (
    *("videos", "media_items", "sms_media_items"),
    *("channels", "media_channels", "playlists", "sms_collections", "billing_accounts"),
)
_PERMISSION = ("is_public", "is_signed_in", "crsids", "lookup_groups", "lookup_insts")
_ITEM_FIELDS = ("title", "description", "type", "duration", "language", "copyright", "tags", "downloadable")


def read_state(engine):
    """Return the state of the cache and the media side, in the form of the golden states (golden/README.md)."""
    with Session(engine) as session:
        keys = video_keys(session)
        return {
            "cached": _cached(session),
            "videos": {video.key: video.updated for video in session.scalars(Video.live)},
            "media_items": _items(session, keys),
            "channels": _channels(session, keys),
        }


def video_keys(session):
    """Return media item id → key of its video."""
    return {video.media_item_id: video.key for video in session.scalars(Video.including_deleted)}


def _cached(session):
    cached = {"video": {}, "channel": {}}
    for row in session.scalars(select(CachedResource)):
        cached[row.type][row.key] = "deleted" if row.deleted_at else "live"
    return cached


def _items(session, keys):
    channel_keys = {channel.media_channel_id: channel.key for channel in session.scalars(Channel.including_deleted)}
    owned = {row.media_item_id: row for row in session.scalars(select(SmsMediaItem))}
    items = {}
    for item in session.scalars(MediaItem.including_deleted):
        sms = owned.pop(item.id, None)
        items[keys[item.id]] = (
            {"deleted": True}
            if item.deleted_at and not (sms and item.video.deleted_at)
            else {
                "deleted": item.deleted_at is not None,
                **{name: getattr(item, name) for name in _ITEM_FIELDS},
                "published_at": _stamp(item.published_at),
                "view": _permission(item, "view"),
                "channel": channel_keys.get(item.media_channel_id),
                **_sms(sms, "sms_media_id"),
            }
        )
    return items


def _channels(session, keys):
    collections = {row.media_channel_id: row for row in session.scalars(select(SmsCollection))}
    playlists = {playlist.media_channel_id: playlist for playlist in session.scalars(Playlist.live)}
    channels = {}
    for channel in session.scalars(MediaChannel.including_deleted):
        sms, playlist = collections.get(channel.id), playlists.get(channel.id)
        if sms:
            assert sms.playlist_id == (playlist and playlist.id)
        of_it = session.scalars(MediaItem.live.where(MediaItem.media_channel_id == channel.id))
        channels[channel.jwp_channel.key] = (
            {"deleted": True}
            if channel.deleted_at and not (sms or playlist)
            else {
                "deleted": channel.deleted_at is not None,
                "title": channel.title,
                "description": channel.description,
                "billing_account": channel.billing_account.lookup_instid,
                "edit": _permission(channel, "edit"),
                "items": sorted(keys[item.id] for item in of_it),
                **_sms(sms, "sms_collection_id"),
                "playlist": playlist
                and {
                    "title": playlist.title,
                    "description": playlist.description,
                    "media_items": [keys[item_id] for item_id in playlist.media_item_ids],
                },
            }
        )
    return channels


def _permission(row, action):
    return {name: getattr(row, f"{action}_{name}") for name in _PERMISSION}


def _sms(row, id_name):
    return {id_name: row and row.id, "sms_last_updated_at": row and _stamp(row.last_updated_at)}


def _stamp(moment):
    return moment and moment.isoformat()


def differences(found, expected, syncs=(), path=""):
    """Return the paths at which two states differ, and both values. NOW is any time in one of `syncs` (begin, end)."""
    if isinstance(found, dict) and isinstance(expected, dict):
        return [
            line
            for name in sorted({*found, *expected})
            for line in differences(found.get(name), expected.get(name), syncs, f"{path}/{name}")
        ]
    if expected == NOW:
        moment = found and datetime.fromisoformat(found)
        same = moment and any(begin <= moment <= end for begin, end in syncs)
    else:
        same = found == expected
    return [] if same else [f"{path}: found {found!r}, expected {expected!r}"]


def read_rows(engine):
    """Return (table, JWP key) → row of an item, channel or playlist, including deleted ones."""
    with Session(engine, expire_on_commit=False) as session:
        rows = {("media_items", video.key): video.item for video in session.scalars(Video.including_deleted)}
        for channel in session.scalars(Channel.including_deleted):
            rows["media_channels", channel.key] = channel.channel
            rows["playlists", channel.key] = channel.channel and channel.channel.playlist
        return {name: row for name, row in rows.items() if row}


def open_problems(engine):
    """Return (stage, type, key, field) → the open problem, as a SyncProblem."""
    with Session(engine, expire_on_commit=False) as session:
        problems = session.scalars(select(SyncProblem).where(SyncProblem.resolved_at.is_(None)))
        return {(p.stage, p.type, p.key, p.field): p for p in problems}


def written_by(engine):
    """Return (table, row) → the transactions that wrote and locked it, for every row of the media side."""
    with engine.connect() as connection:
        return {
            (table, row.place): (row.xmin, row.xmax)
            for table in (*MEDIA_TABLES, "playlist_members")
            for row in connection.execute(
                text(f"SELECT CAST(ctid AS text) AS place, CAST(xmin AS text), CAST(xmax AS text) FROM {table}")
            )
        }


def live_titles(engine):
    """Return key of the video → title of its live item."""
    return {key: item["title"] for key, item in read_state(engine)["media_items"].items() if not item["deleted"]}
