"""What mapping gives: values, KEEP where there is none to give, and what could not be read.

Not here: how they are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any, Final, Literal, NamedTuple, Self

from jwp_pipeline.access.acl import Permission

CreateItems = Literal["all", "sms"]
"""JWP_CREATE_ITEMS: media items and playlists for everything, or only for what has an SMS id."""
MediaType = Literal["video", "audio", "unknown"]


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
    title: str | Keep
    description: str | Keep
    type: MediaType | Keep
    duration: float | Keep
    """Seconds; finite, negative as JWP has it."""
    published_at: datetime | None
    """UTC; None: as it was, for a new item the time of the sync."""
    downloadable: bool | Keep
    language: str | Keep
    copyright: str | Keep
    tags: tuple[str, ...] | Keep
    permission: Permission
    """Who may view it. Never kept: nobody when it cannot be read."""
    acl_is_unreadable: bool
    """Whether it is nobody for that. One of unknown entries is read: they grant nothing."""
    sms_last_updated_at: datetime | Keep | None
    problems: tuple[Problem, ...] = ()

    def with_defaults(self) -> Self:
        """The same for a new item: its default in place of each KEEP."""
        return replace(self, **_kept(self, _VIDEO_DEFAULTS))


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

    def with_defaults(self) -> Self:
        """The same for a new media channel: its default in place of each KEEP."""
        return replace(self, **_kept(self, _CHANNEL_DEFAULTS))


_VIDEO_DEFAULTS: dict[str, Any] = {
    "updated": 0,
    "sms_media_id": None,
    "title": "",
    "description": "",
    "type": "unknown",
    "duration": 0.0,
    "downloadable": False,
    "language": "",
    "copyright": "",
    "tags": (),
    "sms_last_updated_at": None,
}
_CHANNEL_DEFAULTS: dict[str, Any] = {
    "updated": 0,
    "lists_members": False,
    "title": "",
    "description": "",
    "instid": "",
    "sms_collection_id": None,
    "wants_playlist": False,
    "media_ids": None,
    "sms_last_updated_at": None,
}


def _kept(fields: VideoFields | ChannelFields, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Default of each field that is KEEP."""
    return {name: default for name, default in defaults.items() if getattr(fields, name) is KEEP}
