"""Cached resources read, mapped and put into temporary tables, where the set-based steps find them.

Streams: a batch is read, mapped and copied before the next is read. Not here: what the fields mean
(mapping/), what becomes of them (steps.py and its SQL).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from jwp_pipeline.database.sql import statement
from jwp_pipeline.database.upkeep import analyze
from jwp_pipeline.media.mapping import KEEP, ChannelFields, VideoFields, map_channel, map_video
from jwp_pipeline.media.options import MediaOptions

PACKAGE = "jwp_pipeline.media"
BATCH = 1000

# Columns as they are copied, with their types: told beforehand, rows are sent in PostgreSQL's own binary form.
_VIDEO_COLUMNS = {
    "key": "text", "looked_at": "timestamptz", "new_item_id": "text", "updated": "int8", "wants_item": "bool",
    "keeps_sms_media_id": "bool", "sms_media_id": "int8", "keeps_sms_last_updated_at": "bool",
    "sms_last_updated_at": "timestamptz", "title": "text", "description": "text", "type": "text", "duration": "float8",
    "published_at": "timestamptz", "downloadable": "bool", "language": "text", "copyright": "text", "tags": "text[]",
    "acl_is_unreadable": "bool", "view_is_public": "bool", "view_is_signed_in": "bool", "view_crsids": "text[]",
    "view_lookup_groups": "text[]", "view_lookup_insts": "text[]",
}  # fmt: skip
_CHANNEL_COLUMNS = {
    "key": "text", "looked_at": "timestamptz", "new_media_channel_id": "text", "new_playlist_id": "text",
    "new_billing_account_id": "text", "updated": "int8", "lists_members": "bool", "title": "text",
    "description": "text", "instid": "text", "edit_crsids": "text[]", "edit_lookup_groups": "text[]",
    "keeps_sms_collection_id": "bool", "sms_collection_id": "int8", "wants_playlist": "bool", "keeps_media_ids": "bool",
    "media_ids": "int8[]", "keeps_sms_last_updated_at": "bool", "sms_last_updated_at": "timestamptz",
}  # fmt: skip
_PROBLEM_COLUMNS = {"key": "text", "field": "text", "value": "text", "problem": "text"}


def stage_videos(connection: Connection, options: MediaOptions) -> int:
    """Fill `mapped_videos` with the videos that have to be looked at, and note their problems; how many."""
    connection.execute(statement(PACKAGE, "mapped_videos"))
    connection.execute(
        statement(PACKAGE, "videos_to_look_at"),
        {"sync_all": options.sync_all, "create_all": options.create_items == "all"},
    )
    analyze(connection, "videos_to_look_at", "key")
    candidates = connection.execute(
        text(
            "SELECT key, data, updated_at FROM videos_to_look_at JOIN cached_resources AS cached USING (key)"
            " WHERE cached.type = 'video'"
        ),
        execution_options={"yield_per": BATCH},
    )
    staged = 0
    for rows in candidates.partitions(BATCH):
        mapped = [
            (row, map_video(row.data, key=row.key, default_acl=options.default_acl, create_items=options.create_items))
            for row in rows
        ]
        _copy(
            connection, "mapped_videos", _VIDEO_COLUMNS, (_video_row(row.updated_at, fields) for row, fields in mapped)
        )
        _note(connection, [fields for _, fields in mapped])
        staged += len(mapped)
    analyze(connection, "mapped_videos", "key")
    return staged


def stage_channels(connection: Connection, options: MediaOptions) -> int:
    """Fill `mapped_channels` with all live channels, and note their problems; how many."""
    connection.execute(statement(PACKAGE, "mapped_channels"))
    channels = connection.execute(
        text("SELECT key, data, updated_at FROM cached_resources WHERE type = 'channel' AND deleted_at IS NULL"),
        execution_options={"yield_per": BATCH},
    )
    staged = 0
    for rows in channels.partitions(BATCH):
        mapped = [(row, map_channel(row.data, key=row.key, create_items=options.create_items)) for row in rows]
        _copy(
            connection,
            "mapped_channels",
            _CHANNEL_COLUMNS,
            (_channel_row(row.updated_at, fields) for row, fields in mapped),
        )
        _note(connection, [fields for _, fields in mapped])
        staged += len(mapped)
    analyze(connection, "mapped_channels", "key")
    return staged


def _video_row(looked_at: datetime, fields: VideoFields) -> tuple[Any, ...]:
    may_view = fields.permission
    return (
        fields.key,
        looked_at,
        _token(),
        _kept(fields.updated),
        fields.wants_item,
        fields.sms_media_id is KEEP,
        _kept(fields.sms_media_id),
        fields.sms_last_updated_at is KEEP,
        _kept(fields.sms_last_updated_at),
        _kept(fields.title),
        _kept(fields.description),
        _kept(fields.type),
        _kept(fields.duration),
        fields.published_at,
        _kept(fields.downloadable),
        _kept(fields.language),
        _kept(fields.copyright),
        None if fields.tags is KEEP else list(fields.tags),
        fields.acl_is_unreadable,
        may_view.is_public,
        may_view.is_signed_in,
        list(may_view.crsids),
        list(may_view.lookup_groups),
        list(may_view.lookup_insts),
    )


def _channel_row(looked_at: datetime, fields: ChannelFields) -> tuple[Any, ...]:
    may_edit = fields.permission
    return (
        fields.key,
        looked_at,
        _token(),
        _token(),
        _token(),
        _kept(fields.updated),
        _kept(fields.lists_members),
        _kept(fields.title),
        _kept(fields.description),
        # Counts only when the media channel is made; one that cannot be read then is as good as none.
        "" if fields.instid is KEEP else fields.instid,
        list(may_edit.crsids),
        list(may_edit.lookup_groups),
        fields.sms_collection_id is KEEP,
        _kept(fields.sms_collection_id),
        _kept(fields.wants_playlist),
        fields.media_ids is KEEP,
        None if fields.media_ids is KEEP or fields.media_ids is None else list(fields.media_ids),
        fields.sms_last_updated_at is KEEP,
        _kept(fields.sms_last_updated_at),
    )


def _kept(value: Any) -> Any:
    return None if value is KEEP else value


def _token() -> str:
    """A new id: 64 random bits, URL-safe, 11 characters, as the platform's ids are."""
    return secrets.token_urlsafe(8)


def _note(connection: Connection, mapped: Sequence[VideoFields | ChannelFields]) -> None:
    """Enter the problems of what was mapped as found."""
    problems = [(fields.key, *problem) for fields in mapped for problem in fields.problems]
    if problems:
        _copy(connection, "found_problems", _PROBLEM_COLUMNS, problems)


def _copy(connection: Connection, table: str, columns: Mapping[str, str], rows: Iterable[tuple[Any, ...]]) -> None:
    driver_connection: Any = connection.connection.driver_connection
    with (
        driver_connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.set_types(list(columns.values()))
        for row in rows:
            copy.write_row(row)
