"""Decides whether the edits that wait may be pushed from this database, or have to be shown to somebody first.

Nobody expects a program to begin writing after an upgrade, or edits from last week to be pushed again after a restore.
Put here what stands between an edit and its first push (clarification 13).
"""

from __future__ import annotations

from sqlalchemy import Connection

from jwp_pipeline.database.sql import statement
from jwp_pipeline.errors import NotReviewed, SettingsError
from jwp_pipeline.outbox.bodies import SiteMark
from jwp_pipeline.runbook import error_text
from jwp_pipeline.settings import Settings


def require_review(connection: Connection, *, asked_for: bool) -> None:
    """Raise NotReviewed unless edits may be pushed from this database, in the caller's transaction.

    `asked_for` says whether JWP_SYNC_ITEMS is set, which is enough for the first push but not after a restore.
    """
    if _require_review(connection, asked_for=asked_for):
        mark_reviewed(connection)


def _require_review(connection: Connection, *, asked_for: bool) -> bool:
    """Raise NotReviewed unless edits may be pushed. Returns whether this is the first push."""
    found = connection.execute(statement("jwp_pipeline.outbox", "review")).one()
    if found.reviewed_database == found.database:
        return False
    if found.reviewed_database is None and asked_for:
        return True
    why = (
        "This program has not written to JW Platform from this schema before"
        if found.reviewed_database is None
        else "This database is not the one that edits were pushed from before; it may have been restored from a "
        "backup, and some of its edits may be old"
    )
    raise NotReviewed(
        f"{why}. Nothing was pushed. Look at the edits that wait with `jwpfetch --push --dry-run`; after that they are "
        "pushed."
    )


def why_not_pushed(connection: Connection, settings: Settings) -> str | None:
    """Return what holds up every push with these settings, and what to do about it; None if nothing does."""
    if not settings.jwp_sync_items:
        return "JWP_SYNC_ITEMS is false, so nothing is pushed."
    try:
        SiteMark.from_settings(settings)
        _require_review(connection, asked_for=is_asked_for(settings))
    except (SettingsError, NotReviewed) as error:
        return error_text(error)
    return None


def is_asked_for(settings: Settings) -> bool:
    """Whether JWP_SYNC_ITEMS is set, and not merely true by default."""
    return "jwp_sync_items" in settings.model_fields_set


def mark_reviewed(connection: Connection) -> None:
    """Record that somebody has seen, or expects, what waits in this database."""
    database = connection.execute(statement("jwp_pipeline.outbox", "review")).one().database
    connection.execute(statement("jwp_pipeline.outbox", "mark_reviewed"), {"database": database})
