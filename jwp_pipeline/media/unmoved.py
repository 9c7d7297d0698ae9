"""Knows whether anything was written since the last sync of everything; if not, a sync has nothing to look at.

Triggers note each transaction that writes to a table that the media side reads or keeps, in `unfollowed_writes`. A sync
of all assets takes those notes and leaves in `media_side` what it has reached. A sync of all items looks at everything
in any case. Put here what may be known without looking.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from jwp_pipeline import __version__
from jwp_pipeline.media.columns import statement
from jwp_pipeline.media.options import MediaOptions
from jwp_pipeline.media.report import MEDIA_ASSETS, Counts, MediaAsset, Violations


@dataclass(frozen=True, slots=True)
class Unmoved:
    """What the last sync of everything left. Nothing was written since."""

    since: datetime
    """The time of that sync."""
    counts: dict[MediaAsset, Counts]
    """How many rows of each table are live."""
    violations: dict[str, Violations] | None
    """What the checks found after that sync, by their names; None if they did not run."""


def unmoved(connection: Connection, options: MediaOptions) -> Unmoved | None:
    """Return what the last sync of everything left, or None if a sync with these options has to look."""
    if options.sync_all:
        return None
    left = connection.execute(statement("unmoved/read"), {"options": _named(options)}).one_or_none()
    if left is None:
        return None
    connection.execute(statement("unmoved/touch_problems"))
    return Unmoved(
        left.followed_at,
        {asset: Counts(0, 0, 0, 0, live=left.live[asset]) for asset in MEDIA_ASSETS},
        _violations(left.violations),
    )


def take_notes(connection: Connection) -> bool:
    """Take the notes of what was written so far, and let nothing be noted that the caller's transaction writes.

    Returns whether there were any. What others write meanwhile is noted for the next sync.
    """
    noted = connection.execute(text("DELETE FROM unfollowed_writes")).rowcount
    connection.execute(text("SELECT set_config('jwp_pipeline.noted', 'yes', true)"))
    return noted > 0


def remember(
    connection: Connection, options: MediaOptions, counts: dict[MediaAsset, Counts], *, was_noted: bool
) -> datetime | None:
    """Store that everything is followed with these options, and return since when.

    Writes only if something moved since the last time: others noted it, or this sync, which notes nothing, counted it
    or resolved a problem. Returns None if the next sync has to look in any case.
    """
    live = {asset: counts[asset].live for asset in MEDIA_ASSETS}
    moved = was_noted or any(counted.written for counted in counts.values())
    connection.execute(statement("unmoved/forget"))
    connection.execute(
        statement("unmoved/remember"), {"options": _named(options), "live": json.dumps(live), "moved": moved}
    )
    followed_at: datetime | None = connection.scalar(text("SELECT followed_at FROM media_side"))
    return followed_at


def remember_violations(connection: Connection, since: datetime, found: dict[str, Violations]) -> None:
    """Store what the checks found after the sync of everything at `since`, for as long as nothing is written."""
    stored = {name: [violations.count, *violations.sample] for name, violations in found.items()}
    with connection.begin():
        connection.execute(
            statement("unmoved/remember_violations"), {"followed_at": since, "violations": json.dumps(stored)}
        )


def _violations(stored: dict[str, list[int | str]] | None) -> dict[str, Violations] | None:
    if stored is None:
        return None
    return {name: Violations(int(count), tuple(map(str, sample))) for name, (count, *sample) in stored.items()}


def _named(options: MediaOptions) -> str:
    """Return the options that decide what a sync does, and the version of this program, which decides as well."""
    return f"{__version__} {options.create_items} {options.default_acl} {options.strict_acls} {options.pushes_edits}"
