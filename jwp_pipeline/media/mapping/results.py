"""What mapping gives: values, KEEP where there is none to give, and what could not be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final, Literal, NamedTuple

from jwp_pipeline.access.acl import Permission

CreateItems = Literal["all", "sms"]
"""JWP_CREATE_ITEMS: media items and playlists for everything, or only for what has an SMS id."""
MediaType = Literal["video", "audio", "unknown"]
AclState = Literal["absent", "read", "unreadable"]
"""Whether a video has an sms_acl. One of unknown entries is read; one in properties out of reach is unreadable."""


class Keep(Enum):
    """Type of KEEP."""

    KEEP = "keep"


KEEP: Final = Keep.KEEP
"""In place of a value: the field cannot be read, its last good value stays (a new row: the default)."""


class Problem(NamedTuple):
    """A field that could not be read as it is. A resource has at most one for each field."""

    field: str
    """v1's name of the field, or the name of the custom property, whichever API it came from."""
    value: str
    """What stands there, as text: no NUL, no lone surrogate, at most 500 characters."""
    problem: str
    """What is wrong with it; at most 500 characters."""


@dataclass(frozen=True, slots=True)
class VideoFields:
    """What a video says of its media item."""

    key: str
    updated: int | Keep
    """JWP's own change stamp, whole seconds since the epoch; 0 when there is none."""
    sms_media_id: int | Keep | None
    wants_item: bool
    """Whether a media item is to be made when there is none; an item that exists stays in any case."""
    item: Mapping[str, Any]
    """Value of each of ITEM_FIELDS (items.py) by the name of its column, or KEEP."""
    acl_state: AclState
    permission: Permission
    """Who may view it according to the video alone: nobody when the ACL is unreadable, the default when absent."""
    has_properties: bool
    """Whether it has any custom property; True where they cannot be read."""
    sms_last_updated_at: datetime | Keep | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class ChannelFields:
    """What a channel, or v2 playlist, says of its media channel and playlist."""

    key: str
    updated: int | Keep
    """JWP's own change stamp, whole seconds since the epoch; 0 when there is none, as in v1."""
    lists_members: bool | Keep
    """Whether JW Platform can be asked for its members in one request: a v2 playlist."""
    title: str | Keep
    description: str | Keep
    instid: str | Keep
    """Lookup institution of the billing account; counts only when the media channel is made."""
    permission: Permission
    """Who may edit it. Never kept: what cannot be read grants nothing."""
    sms_collection_id: int | Keep | None
    wants_playlist: bool | Keep
    media_ids: tuple[int, ...] | Keep | None
    """SMS ids of its items in order, duplicates kept; None when the channel does not list any itself."""
    sms_last_updated_at: datetime | Keep | None
    problems: tuple[Problem, ...] = ()
