"""Defines the results of mapping: the fields of a resource, KEEP for those that cannot be read, and the problems."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any, Final, Literal, NamedTuple

from jwp_pipeline.access.acl import Permission

CreateItems = Literal["all", "sms"]
"""JWP_CREATE_ITEMS: whether all resources get media items and playlists, or only those with an SMS id."""
MediaType = Literal["video", "audio", "unknown"]
AclState = Literal["absent", "read", "unreadable"]
"""Whether a video has an sms_acl, and whether it could be read.

An ACL with unknown entries counts as read. It is unreadable if the properties as a whole cannot be read.
"""


class Keep(Enum):
    """The type of KEEP."""

    KEEP = "keep"


KEEP: Final = Keep.KEEP
"""Stands for a value that cannot be read: the field keeps its last good value, or the default in a new row."""


class Problem(NamedTuple):
    """A problem with the value of a field. A resource has at most one problem for each field."""

    field: str
    """v1's name of the field, or the name of the custom property. The names are the same for both APIs."""
    value: str
    """The value as text of at most 500 characters, without NUL characters and lone surrogates."""
    problem: str
    """What is wrong with the value, in at most 500 characters."""


class VideoFields(NamedTuple):
    """The fields of a media item, as read from its video."""

    key: str
    updated: int | Keep
    """JWP's own change stamp, in whole seconds since the epoch; 0 if there is none."""
    sms_media_id: int | Keep | None
    wants_item: bool
    """Whether to make a media item if there is none. An existing item stays in any case."""
    item: Mapping[str, Any]
    """The value of each of ITEM_FIELDS (items.py) or KEEP, by the name of the column."""
    acl_state: AclState
    permission: Permission
    """Who may view the item according to the video alone: nobody if the ACL is unreadable, the default if absent."""
    has_properties: bool
    """Whether the video has any custom property; also True if the properties cannot be read."""
    sms_last_updated_at: datetime | Keep | None
    problems: tuple[Problem, ...] = ()


class ChannelFields(NamedTuple):
    """The fields of a media channel and a playlist, as read from their channel or v2 playlist."""

    key: str
    updated: int | Keep
    """JWP's own change stamp, in whole seconds since the epoch; 0 if there is none, as in v1."""
    lists_members: bool | Keep
    """Whether JW Platform can be asked for its members with one request, which is so for v2 playlists."""
    title: str | Keep
    description: str | Keep
    instid: str | Keep
    """The Lookup institution of the billing account. It is used only when the media channel is made."""
    permission: Permission
    """Who may edit the media channel. It is never KEEP: a part that cannot be read grants nothing."""
    sms_collection_id: int | Keep | None
    wants_playlist: bool | Keep
    media_ids: tuple[int, ...] | Keep | None
    """The SMS ids of its items in order, duplicates included; None if the channel does not list any itself."""
    sms_last_updated_at: datetime | Keep | None
    problems: tuple[Problem, ...] = ()
