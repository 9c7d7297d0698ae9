"""Decides whether the edits that wait may be pushed from this database, or have to be shown to somebody first.

Nobody expects a program to begin writing after an upgrade, or edits from last week to be pushed again after a restore.
Put here what stands between an edit and its first push (clarification 13).
"""

from __future__ import annotations

from sqlalchemy import Connection

from jwp_pipeline.database.sql import statement
from jwp_pipeline.errors import NotReviewed
from jwp_pipeline.settings import Settings


def require_review(connection: Connection, *, asked_for: bool) -> None:
    """Raise NotReviewed unless edits may be pushed from this database, in the caller's transaction.

    `asked_for` says whether JWP_SYNC_ITEMS is set, which is enough for the first push but not after a restore.
    """
    found = connection.execute(statement("jwp_pipeline.outbox", "review")).one()
    if found.reviewed_database == found.database:
        return
    if found.reviewed_database is None and asked_for:
        mark_reviewed(connection)
        return
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


def is_asked_for(settings: Settings) -> bool:
    """Whether JWP_SYNC_ITEMS is set, and not merely true by default."""
    return "jwp_sync_items" in settings.model_fields_set


def mark_reviewed(connection: Connection) -> None:
    """Record that somebody has seen, or expects, what waits in this database."""
    connection.execute(statement("jwp_pipeline.outbox", "mark_reviewed"))
