"""Finds out what following a plan of the mirror would do to media items and to who may view them.

The real statements do it, in a transaction that mirror/rehearsal.py rolls back, so that the answer holds for every rule
about access. Put here what is compared, and how the comparison is put into words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, Row, select

from jwp_pipeline.access.acl import NOBODY, Permission, format_acl, intersection
from jwp_pipeline.database.media_tables import media_items, videos
from jwp_pipeline.media.mapping.items import VIEW_COLUMNS
from jwp_pipeline.media.options import MediaOptions
from jwp_pipeline.media.sync import follow_all

What = Literal["created", "changed", "restored", "deleted", "unchanged"]

# These follow from the other columns, or from the time of the sync.
_IRRELEVANT = ("created_at", "updated_at", "searched_text")


@dataclass(frozen=True, slots=True)
class Effect:
    """What would happen to the media item of a video."""

    item_id: str
    what: What
    before: Permission
    """Who may view it now: nobody if it does not exist or is deleted."""
    after: Permission

    @property
    def access(self) -> Literal["same", "wider", "narrower"]:
        """What happens to the access of those who may view it. One that is wider for anybody counts as wider."""
        if self.before == self.after:
            return "same"
        return "narrower" if intersection(self.after, self.before) == self.after else "wider"

    @property
    def in_words(self) -> str:
        """What would happen, for people to read."""
        before, after = (format_acl(permission) or "nobody" for permission in (self.before, self.after))
        access = f"; view access {before} → {after}" if self.access != "same" else ""
        return f"media item {self.item_id}: {self.what}{access}"


@dataclass(frozen=True, slots=True)
class MediaPreview:
    """Follows a plan as a sync would, and compares the media items of the plan's videos before and after."""

    options: MediaOptions

    def look(self, connection: Connection, keys: Sequence[str]) -> Mapping[str, Row[tuple[object, ...]]]:
        """Return the media items of these videos by key, deleted ones included."""
        columns = [column for column in media_items.c if column.name not in _IRRELEVANT]
        found = select(videos.c.key, *columns).join_from(
            videos, media_items, videos.c.media_item_id == media_items.c.id
        )
        return {row.key: row for row in connection.execute(found.where(videos.c.key.in_(keys)))}

    def follow(self, connection: Connection) -> None:
        """Bring the media side in step with the cache, in the caller's transaction. JW Platform is not asked."""
        follow_all(connection, self.options)

    def compare(
        self, before: Mapping[str, Row[tuple[object, ...]]], after: Mapping[str, Row[tuple[object, ...]]]
    ) -> Mapping[str, Effect]:
        """Return what happens to the item of each video, by key. A video without an item has none."""
        return {key: _effect(before.get(key), row) for key, row in after.items()}


def _effect(before: Row[tuple[object, ...]] | None, after: Row[tuple[object, ...]]) -> Effect:
    was, is_now = (row is not None and row.deleted_at is None for row in (before, after))
    what: What = "unchanged" if before == after or not (was or is_now) else "changed"
    if was != is_now:
        what = "deleted" if was else "created" if before is None else "restored"
    return Effect(after.id, what, _permission(before) if was else NOBODY, _permission(after) if is_now else NOBODY)


def _permission(row: Row[tuple[object, ...]] | None) -> Permission:
    is_public, is_signed_in, *names = (getattr(row, column.name) for column in VIEW_COLUMNS)
    return Permission(is_public, is_signed_in, *map(tuple, names))


def in_words(effects: Mapping[str, Effect]) -> str | None:
    """Return what happens to all of the items in one sentence; None if nothing does."""
    counts = dict.fromkeys(("created", "changed", "restored", "deleted"), 0)
    access = {"wider": 0, "narrower": 0}
    for effect in effects.values():
        if effect.what != "unchanged":
            counts[effect.what] += 1
        if effect.what == "changed" and effect.access != "same":
            access[effect.access] += 1
    happens = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    moves = " and ".join(f"{how} for {count:,}" for how, count in access.items() if count)
    if not happens:
        return None
    return f"Media items: {happens}{f'; view access becomes {moves}' if moves else ''}."
