"""Checks that the tables of the media side keep their promises, with one query for each promise.

The checks can run at any time. orchestration/checks/media.py decides what a violation means for a run.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Text, column, func, select

from jwp_pipeline.media.columns import statement
from jwp_pipeline.media.mapping import CreateItems
from jwp_pipeline.media.report import MediaAsset, MediaReport, Violations
from jwp_pipeline.media.unmoved import remember_violations

_SAMPLE = 10


@dataclass(frozen=True, slots=True)
class Check:
    """A promise, and a query (sql/reads/check_<name>.sql) that lists everything that breaks it."""

    name: str
    asset: MediaAsset
    description: str
    kept: str
    """The message if the promise is kept."""
    broken: str
    """The message if it is broken, which follows the number of violations."""
    serious: bool = True
    """Whether a violation is an error rather than a warning."""
    depends_on_mode: bool = False
    """Whether the query has to know JWP_CREATE_ITEMS."""


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
    """Run one check on the present tables."""
    what = column("what", Text)
    found = statement(f"reads/check_{check.name}").columns(what).subquery("found")
    # The server counts them, because every resource of a large library may be a violation.
    first = select(found.c.what, func.count().over().label("all_found")).order_by(found.c.what).limit(_SAMPLE)
    rows = connection.execute(first, {"create_all": create_items == "all"} if check.depends_on_mode else {}).all()
    return Violations(rows[0].all_found if rows else 0, tuple(row.what for row in rows))


def run_checks(connection: Connection, report: MediaReport, create_items: CreateItems) -> dict[str, Violations]:
    """Run all checks after a sync, by their names. If nothing was written since they last ran, their results stand."""
    if report.known_violations is not None:
        return report.known_violations
    found = {check.name: run_check(connection, check, create_items) for check in CHECKS}
    connection.rollback()
    if report.followed_at is not None:
        remember_violations(connection, report.followed_at, found)
    return found
