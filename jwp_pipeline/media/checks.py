"""Promises of the media side that can be asked of the tables at any time, one query each.

What a violation means to a run is decided in orchestration/checks/media.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Text, column, func, select

from jwp_pipeline.media.columns import statement
from jwp_pipeline.media.mapping import CreateItems
from jwp_pipeline.media.report import MediaAsset

_SAMPLE = 10


@dataclass(frozen=True, slots=True)
class Check:
    """A query (sql/reads/check_<name>.sql) that lists what breaks a promise; none is the good answer."""

    name: str
    asset: MediaAsset
    description: str
    kept: str
    """What to say when the promise is kept."""
    broken: str
    """What the listed ones are, after their number."""
    serious: bool = True
    """Whether a violation is an error, or only worth knowing."""
    depends_on_mode: bool = False
    """Whether the query has to know JWP_CREATE_ITEMS."""


@dataclass(frozen=True, slots=True)
class Violations:
    """What a check found: how many, and the first of them."""

    count: int
    sample: tuple[str, ...]


CHECKS = (
    Check(
        "every_video_has_its_item",
        "media_items",
        "Every live cached video that should have a media item has a live one, unless somebody here withdrew it; and "
        "every live item's video is live.",
        kept="Every video has its item, and every item its video.",
        broken="videos lack their item, or items their video",
        depends_on_mode=True,
    ),
    Check(
        "content_reflected",
        "media_items",
        "No item's content changed at JW Platform without a newer `updated`; the daily full resync follows those.",
        kept="Every item shows what JW Platform has.",
        broken="videos changed without a newer `updated` and wait for the full resync",
        serious=False,
    ),
    Check(
        "no_item_of_a_dead_channel",
        "media_channels",
        "No media item belongs to a deleted channel.",
        kept="Every item with a channel has a live one.",
        broken="items belong to a deleted channel",
    ),
    Check(
        "no_deleted_item_in_a_playlist",
        "playlists",
        "No live playlist shows a deleted item.",
        kept="Every playlist shows live items only.",
        broken="entries of live playlists are deleted items",
    ),
)


def run_check(connection: Connection, check: Check, create_items: CreateItems) -> Violations:
    """Ask one check of the tables as they are."""
    what = column("what", Text)
    found = statement(f"reads/check_{check.name}").columns(what).subquery("found")
    # Counted by the server: they may be as many as the library is large.
    first = select(found.c.what, func.count().over().label("all_found")).order_by(found.c.what).limit(_SAMPLE)
    rows = connection.execute(first, {"create_all": create_items == "all"} if check.depends_on_mode else {}).all()
    return Violations(rows[0].all_found if rows else 0, tuple(row.what for row in rows))
