"""Looks at the copies of media-webapp's tables: what forbids an import, what has no place here, and what is unusual.

Put here the words for each finding. The statements that find them are sql/damages.sql, conflicts.sql, left_out.sql and
oddities.sql.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy import Connection, TextClause, text

from jwp_pipeline.database.sql import statement
from jwp_pipeline.errors import CannotImport
from jwp_pipeline.media_webapp.layout import TABLES

PACKAGE = "jwp_pipeline.media_webapp"

_MEANINGS = MappingProxyType(
    {
        "item without permission": "items have no row of permissions: nobody may view them, as there, until a sync "
        "takes the permission from JW Platform",
        "channel without permission": "channels have no row of permissions: nobody may edit them, as there",
        "several permissions": "items or channels have several rows of permissions that say the same",
        "contradicting permissions": "items or channels have several rows of permissions that differ: nobody may view "
        "or edit them until a sync takes the permission from JW Platform; all rows are kept in media_webapp_rows",
        "empty name": "permissions name somebody by an empty text, which matches nobody",
        "live item without video": "live items have no video at JW Platform; none is created for them",
        "live item of a video that is gone": "live items belong to a video that is gone at JW Platform: the next sync "
        "deletes them, as media-webapp's would have",
        "withdrawn item": "items were deleted in media-webapp although their video is live: they stay deleted",
        "withdrawn channel": "channels were deleted in media-webapp although JW Platform has them: they stay deleted, "
        "and the next sync takes their items out of them, and deletes their playlists and SMS ids",
        "item of a deleted channel": "live items belong to a deleted channel",
        "resource that no sync has followed": "live resources have no link yet: the next sync makes it",
        "video that no listing has shown": "videos were created by the application, and no listing has shown them yet",
        "playlist that is not public": "live playlists are not public in media-webapp. Here everybody may view a "
        "playlist, and of its items only those that he may view; their permissions are kept in media_webapp_rows",
        "playlist with missing items": "live playlists list items that are deleted or were never there; they are kept "
        "as they are",
        "channel with several playlists": "channels have several live playlists; the one of the SMS collection follows "
        "JW Platform, and the others stay as they are",
        "institution with several accounts": "institutions have several billing accounts; new channels get the oldest",
    }
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something unusual that is imported all the same."""

    kind: str
    count: int
    examples: Sequence[str]
    """Up to five ids."""

    @property
    def in_words(self) -> str:
        """The finding as a sentence."""
        return f"{self.count:,} {_MEANINGS[self.kind]} ({_some(self.examples, self.count)})."


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Rows, or columns of rows, that the record has no place for; table media_webapp_rows keeps them as JSON."""

    source_table: str
    reason: str
    count: int


def require_sound(connection: Connection) -> None:
    """Raise CannotImport if the copies hold what media-webapp's own keys and foreign keys exclude."""
    found = [f"{row.found:,} rows of {row.what} (such as {row.example})" for row in connection.execute(_sql("damages"))]
    for table in TABLES:
        twice = connection.scalar(
            text(f"SELECT count(*) - count(DISTINCT {table.key}) FROM {table.copy}")  # an empty key counts as well
        )
        if twice:
            found.append(f"{twice:,} rows of {table.name} whose {table.key} is missing or not unique")
    if found:
        raise CannotImport(
            "The other database holds what media-webapp's keys exclude, so it is damaged, or was restored only in "
            f"part: {'; '.join(found)}. Nothing was imported. Restore it again from a whole dump, or mend these rows "
            "there."
        )


def require_no_conflict(connection: Connection) -> None:
    """Raise CannotImport if the record holds other rows under the keys of the rows to import."""
    found = [
        f"{row.found:,} rows of {row.kind} ({_some(row.examples, row.found)})"
        for row in connection.execute(_sql("conflicts"))
    ]
    if found:
        raise CannotImport(
            f"The record already holds other rows under the same keys: {'; '.join(found)}. Nothing was imported. If "
            "this database was imported before, and syncs or people have changed the record since, nothing is left to "
            "import. If the record was filled by syncs instead, its items have other ids: import into a schema of its "
            "own (JWP_DATABASE_SCHEMA), before its first sync."
        )


def left_out(connection: Connection) -> list[LeftOut]:
    """Return what the record has no place for, after sql/left_out.sql has collected it."""
    rows = connection.execute(
        text(
            "SELECT source_table, reason, count(*) AS found FROM webapp_left"
            " GROUP BY source_table, reason ORDER BY source_table, reason"
        )
    )
    return [LeftOut(row.source_table, row.reason, row.found) for row in rows]


def oddities(connection: Connection) -> list[Finding]:
    """Return what is unusual and imported all the same."""
    return [Finding(row.kind, row.found, row.examples) for row in connection.execute(_sql("oddities"))]


def _some(examples: Sequence[str], count: int) -> str:
    return ", ".join(examples) + (", …" if count > len(examples) else "")


def _sql(name: str) -> TextClause:
    return statement(PACKAGE, name)
