"""Defines the report of a sync of the media side, which sync.py makes and orchestration shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

MediaAsset = Literal["videos", "channels", "media_items", "media_channels", "playlists"]
MEDIA_ASSETS: tuple[MediaAsset, ...] = ("videos", "channels", "media_items", "media_channels", "playlists")


@dataclass(frozen=True, slots=True)
class Counts:
    """What happened to the rows of one table, and how many of them are live now."""

    created: int
    updated: int
    restored: int
    deleted: int
    live: int

    @property
    def unchanged(self) -> int:
        """The number of live rows that stayed as they were."""
        return self.live - self.created - self.updated - self.restored

    @property
    def written(self) -> int:
        """The number of rows that were written."""
        return self.created + self.updated + self.restored + self.deleted


@dataclass(frozen=True, slots=True)
class BecamePublic:
    """The number of existing items that this sync made public, and the first of them as (id, title)."""

    count: int
    sample: tuple[tuple[str, str], ...]


NONE_BECAME_PUBLIC = BecamePublic(0, ())


@dataclass(frozen=True, slots=True)
class Violations:
    """The number of violations that a check found, and the first of them."""

    count: int
    sample: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MediaReport:
    """The result of one sync of the media side. Seconds are wall-clock time and include asking for members."""

    counts: dict[MediaAsset, Counts]
    """The counts of each asset that was brought in step."""
    looked_at: int
    """The number of cached videos that were read and mapped."""
    members_asked: int
    """The number of v2 playlists whose members were read from JW Platform."""
    became_public: BecamePublic
    open_problems: dict[str, int]
    """The number of open problems of each field, except those of the cache."""
    seconds: float
    followed_at: datetime | None = None
    """The time of the last sync of everything, this one or an earlier one, if nothing was written since."""
    looked: bool = True
    """Whether this sync looked at the tables. It need not if nothing was written since the last one."""
    known_violations: dict[str, Violations] | None = None
    """What the checks found after that sync, by their names."""
