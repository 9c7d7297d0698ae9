"""Reads and maps cached resources, and copies the results into temporary tables for the set-based steps (steps.py).

Resources are streamed: each batch is read, mapped and copied before the next one is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, text

from jwp_pipeline.access.acl import Permission, intersection
from jwp_pipeline.database.media_tables import new_id
from jwp_pipeline.database.outbox_tables import EDITED_AS
from jwp_pipeline.database.upkeep import analyze
from jwp_pipeline.media.columns import CONTENT_COLUMNS, ITEM_COLUMNS, statement, view_values
from jwp_pipeline.media.copying import copy_rows
from jwp_pipeline.media.mapping import KEEP, VIEW_COLUMNS, ChannelFields, VideoFields, map_channel, map_video
from jwp_pipeline.media.options import MediaOptions
from jwp_pipeline.media.permissions import Decision, Known, KnownAclState, decide, while_edited

BATCH = 1000
_VIEW = EDITED_AS["view_is_public"]

# The columns to copy, with their types.
_VIDEO_COLUMNS = {
    "key": "text", "mapped_version": "timestamptz", "new_item_id": "text", "updated": "int8", "wants_item": "bool",
    "keeps_sms_media_id": "bool", "sms_media_id": "int8", "keeps_sms_last_updated_at": "bool",
    "sms_last_updated_at": "timestamptz", "acl_state": "text", "follows_push": "bool", "pushed_at": "timestamptz",
    **{column.name: column.type for column in ITEM_COLUMNS},
}  # fmt: skip
_NARROWED_COLUMNS = {"key": "text", **{column.name: column.type for column in VIEW_COLUMNS}}
_CHANNEL_COLUMNS = {
    "key": "text", "mapped_version": "timestamptz", "new_media_channel_id": "text", "new_playlist_id": "text",
    "new_billing_account_id": "text", "updated": "int8", "lists_members": "bool", "title": "text",
    "description": "text", "instid": "text", "edit_crsids": "text[]", "edit_lookup_groups": "text[]",
    "keeps_sms_collection_id": "bool", "sms_collection_id": "int8", "wants_playlist": "bool", "keeps_media_ids": "bool",
    "media_ids": "int8[]", "keeps_sms_last_updated_at": "bool", "sms_last_updated_at": "timestamptz",
}  # fmt: skip
_PROBLEM_COLUMNS = {"key": "text", "field": "text", "value": "text", "problem": "text"}
_CONTENT = tuple(column.name for column in CONTENT_COLUMNS)


def choose_videos(connection: Connection, options: MediaOptions) -> None:
    """List the videos to read in `videos_to_read`, and the edits of their items in `known_edits`."""
    by_default = options.default_acl
    connection.execute(
        statement("staged/videos_to_read"),
        {
            "sync_all": options.sync_all,
            "create_all": options.create_items == "all",
            "strict_acls": options.strict_acls,
            "default_is_public": by_default.is_public,
            "default_is_signed_in": by_default.is_signed_in,
            "default_crsids": list(by_default.crsids),
            "default_lookup_groups": list(by_default.lookup_groups),
            "default_lookup_insts": list(by_default.lookup_insts),
        },
    )
    analyze(connection, "videos_to_read", "key")
    connection.execute(statement("staged/known_edits"), {"pushes_edits": options.pushes_edits})


def stage_videos(connection: Connection, options: MediaOptions) -> int:
    """Map the chosen videos into `mapped_videos` and `narrowed_permissions`, note problems, and return how many."""
    for table in ("mapped_videos", "narrowed_permissions"):
        connection.execute(statement(f"staged/{table}"))
    candidates = connection.execute(
        statement("reads/videos_to_map"),
        {"with_permissions": not options.sync_all},
        execution_options={"yield_per": BATCH},
    )
    staged = 0
    for rows in candidates.partitions(BATCH):
        mapped = [_map_video(_Read._make(row), options) for row in rows]
        copy_rows(connection, "mapped_videos", _VIDEO_COLUMNS, map(_video_row, mapped))
        narrowed = [
            (video.fields.key, *view_values(video.decision.narrowed)) for video in mapped if video.decision.narrowed
        ]
        if narrowed:
            copy_rows(connection, "narrowed_permissions", _NARROWED_COLUMNS, narrowed)
        _note(connection, [video.fields for video in mapped])
        staged += len(mapped)
    analyze(connection, "mapped_videos", "key")
    return staged


def narrow_present_permissions(connection: Connection) -> None:
    """Let the items to narrow keep nothing that was taken away from them after this sync had read them.

    They are locked by now.
    """
    size = 1 + len(VIEW_COLUMNS)
    narrower = []
    for row in connection.execute(statement("reads/present_permissions")):
        kept = _permission(row[size:])
        both = intersection(_permission(row[1:size]), kept)
        if both != kept:
            narrower.append((row[0], *view_values(both)))
    if narrower:
        keys = [key for key, *_ in narrower]
        connection.execute(text("DELETE FROM narrowed_permissions WHERE key = ANY(:keys)"), {"keys": keys})
        copy_rows(connection, "narrowed_permissions", _NARROWED_COLUMNS, narrower)


def stage_channels(connection: Connection, options: MediaOptions) -> int:
    """Map all live channels into `mapped_channels`, note their problems, and return the number of channels."""
    connection.execute(statement("staged/mapped_channels"))
    channels = connection.execute(
        text("SELECT key, data, updated_at FROM cached_resources WHERE type = 'channel' AND deleted_at IS NULL"),
        execution_options={"yield_per": BATCH},
    )
    staged = 0
    for rows in channels.partitions(BATCH):
        mapped = [(row, map_channel(row.data, key=row.key, create_items=options.create_items)) for row in rows]
        copy_rows(connection, "mapped_channels", _CHANNEL_COLUMNS, (_channel_row(*channel) for channel in mapped))
        _note(connection, [fields for _, fields in mapped])
        staged += len(mapped)
    analyze(connection, "mapped_channels", "key")
    return staged


class _Read(NamedTuple):
    """A row of sql/reads/videos_to_map.sql. A plain tuple is much faster to look into than SQLAlchemy's rows."""

    key: str
    data: Any
    updated_at: datetime
    acl_state: KnownAclState | None
    had_acl: bool
    sms_media_id: int | None
    has_item: bool
    view_is_public: bool
    view_is_signed_in: bool
    view_crsids: list[Any]
    view_lookup_groups: list[Any]
    view_lookup_insts: list[Any]
    pushed_updated: int | None
    pushed_at: datetime | None
    awaits_listing: bool
    read_at: datetime | None
    waiting: list[str] | None
    undecided: list[str] | None


class _Mapped(NamedTuple):
    """One cached video, what was read from it, and what that means for its item."""

    row: _Read
    fields: VideoFields
    decision: Decision
    is_older: bool
    """Whether it is older than the last push."""


def _map_video(row: _Read, options: MediaOptions) -> _Mapped:
    fields = map_video(row.data, key=row.key, default_acl=options.default_acl, create_items=options.create_items)
    known = Known(row.acl_state, row.had_acl, row.sms_media_id, _item_permission(row))
    decision = decide(fields, known, strict=options.strict_acls)
    is_older = _is_older(row, fields)
    waiting, undecided = row.waiting or (), row.undecided or ()
    if not (waiting or undecided or is_older):
        return _Mapped(row, fields, decision, is_older)
    # A video that is older than the last push changes no field that is pushed; any other leaves alone what was edited.
    left_alone = frozenset(EDITED_AS.values() if is_older else (*waiting, *undecided))
    # JW Platform may restore an object with an old stamp. Read since the push, an ACL that is broken grants nothing.
    is_broken = fields.acl_state == "unreadable" and is_older and not _is_of_before(row) and _VIEW not in waiting
    fields = fields._replace(item={name: KEEP if name in left_alone else it for name, it in fields.item.items()})
    is_undecided = _VIEW in undecided
    decision = while_edited(
        decision,
        fields,
        known,
        is_left_alone=_VIEW in left_alone and not (is_undecided or is_broken),
        is_undecided=is_undecided,
    )
    return _Mapped(row, fields, decision, is_older)


def _is_older(row: _Read, fields: VideoFields) -> bool:
    """Whether what is cached is older than the last push."""
    if row.pushed_updated is None:
        return False
    # A stamp that is absent, and so 0, or cannot be read counts as unchanged.
    if fields.updated is KEEP or fields.updated in (0, row.pushed_updated):
        return _is_of_before(row)
    return fields.updated < row.pushed_updated


def _is_of_before(row: _Read) -> bool:
    """Whether it was read before the last push. JWP's stamps are whole seconds, so it may have the same one."""
    return row.pushed_at is not None and (row.read_at is None or row.read_at <= row.pushed_at)


def _item_permission(row: _Read) -> Permission | None:
    if not row.has_item:
        return None
    return _permission(
        (row.view_is_public, row.view_is_signed_in, row.view_crsids, row.view_lookup_groups, row.view_lookup_insts)
    )


def _permission(view: Sequence[Any]) -> Permission:
    is_public, is_signed_in, crsids, lookup_groups, lookup_insts = view
    return Permission(is_public, is_signed_in, _names(crsids), _names(lookup_groups), _names(lookup_insts))


def _names(names: Sequence[Any]) -> tuple[str, ...]:
    # An application may have written a NULL, or an array of arrays. Like a blank name, neither grants anything. This
    # runs three times for each video, and a list is faster here than a generator.
    return tuple([name if isinstance(name, str) else "" for name in names])


def _video_row(video: _Mapped) -> tuple[Any, ...]:
    row, fields, decision, is_older = video
    may_view = None if decision.permission is KEEP else decision.permission
    return (
        fields.key,
        row.updated_at,
        new_id(),
        _kept(fields.updated),
        fields.wants_item,
        fields.sms_media_id is KEEP,
        _kept(fields.sms_media_id),
        fields.sms_last_updated_at is KEEP,
        _kept(fields.sms_last_updated_at),
        decision.acl_state,
        row.awaits_listing and not is_older,
        row.pushed_at,
        *[None if (value := fields.item[name]) is KEEP else value for name in _CONTENT],
        *view_values(may_view),
    )


def _channel_row(row: Row[Any], fields: ChannelFields) -> tuple[Any, ...]:
    may_edit = fields.permission
    return (
        fields.key,
        row.updated_at,
        new_id(),
        new_id(),
        new_id(),
        _kept(fields.updated),
        _kept(fields.lists_members),
        _kept(fields.title),
        _kept(fields.description),
        # It is used only when the media channel is made. If it cannot be read then, it counts as absent.
        "" if fields.instid is KEEP else fields.instid,
        may_edit.crsids,
        may_edit.lookup_groups,
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


def _note(connection: Connection, mapped: Sequence[VideoFields | ChannelFields]) -> None:
    """Add the problems of the mapped resources to `found_problems`."""
    problems = [(fields.key, *problem) for fields in mapped for problem in fields.problems]
    if problems:
        copy_rows(connection, "found_problems", _PROBLEM_COLUMNS, problems)
