"""Lets a push look again at conflicts that have ended by themselves, or that the settings decide.

Put here what ends a conflict without anybody deciding about it.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from jwp_pipeline.database.sql import statement
from jwp_pipeline.media.mapping import map_video
from jwp_pipeline.outbox.exchange import Rules
from jwp_pipeline.outbox.fields import FIELDS, Unsendable, decoded, listed_value
from jwp_pipeline.outbox.records import free_items

_PACKAGE = "jwp_pipeline.outbox"


def reopen_conflicts(connection: Connection, rules: Rules) -> None:
    """Let conflicts wait to be pushed, in the caller's transaction, if JW Platform seems to have our value by now.

    The push asks JW Platform, and may find that the cache is out of date. If the policy decides, all conflicts are
    reopened, except those of items that somebody else is writing.
    """
    found = connection.execute(statement(_PACKAGE, "conflicts")).all()
    ended = [row for row in found if rules.policy != "ask" or _has_ours(row, rules)]
    free = set(free_items(connection, sorted({row.item_id for row in ended})))
    places = [
        {"item_id": row.item_id, "field": row.field, "number": row.number} for row in ended if row.item_id in free
    ]
    if places:
        connection.execute(statement(_PACKAGE, "reopen"), places)


def _has_ours(row: Row[Any], rules: Rules) -> bool:
    """Whether the cached video has the value that was edited here."""
    fields = map_video(
        row.data, key=row.key, default_acl=rules.media.default_acl, create_items=rules.media.create_items
    )
    ours = decoded(row.field, row.ours)
    try:
        return ours is not None and listed_value(row.field, fields) == FIELDS[row.field].as_sent(ours)
    except Unsendable:
        return False
