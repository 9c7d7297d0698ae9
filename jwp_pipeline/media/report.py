"""What a sync of the media side did, as values; sync.py makes them, and orchestration shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MediaAsset = Literal["videos", "channels", "media_items", "media_channels", "playlists"]
MEDIA_ASSETS: tuple[MediaAsset, ...] = ("videos", "channels", "media_items", "media_channels", "playlists")


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows of one table: what happened to them, and how many live now."""

    created: int
    updated: int
    restored: int
    deleted: int
    live: int

    @property
    def unchanged(self) -> int:
        """Live rows that stayed as they were."""
        return self.live - self.created - self.updated - self.restored

    @property
    def written(self) -> int:
        """Rows that were written."""
        return self.created + self.updated + self.restored + self.deleted


@dataclass(frozen=True, slots=True)
class BecamePublic:
    """Items that were not public before this sync and are now: how many, and the first of them (id, title)."""

    count: int
    sample: tuple[tuple[str, str], ...]


NONE_BECAME_PUBLIC = BecamePublic(0, ())


@dataclass(frozen=True, slots=True)
class MediaReport:
    """One sync of the media side. Seconds are wall-clock, asking JW Platform for members included."""

    counts: dict[MediaAsset, Counts]
    """Of the assets that were brought in step."""
    looked_at: int
    """Cached videos that were read and mapped."""
    members_asked: int
    """Playlists whose own members JW Platform was asked for."""
    became_public: BecamePublic
    open_problems: dict[str, int]
    """Open problems of mapping and ownership, by field."""
    seconds: float
