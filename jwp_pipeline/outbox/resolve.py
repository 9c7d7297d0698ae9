"""Decides conflicts and refusals as somebody says: keep our value, or take JW Platform's.

Put here what a person can do about an edit that is stuck.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from jwp_pipeline.access.acl import NOBODY, intersection
from jwp_pipeline.database.sql import statement
from jwp_pipeline.errors import NothingToResolve
from jwp_pipeline.outbox.fields import FIELDS, decoded, in_words
from jwp_pipeline.outbox.records import VIEW, write

_PACKAGE = "jwp_pipeline.outbox"


@dataclass(frozen=True, slots=True)
class ItemUpdate:
    """The state of one field of an item on its way to JW Platform."""

    item_id: str
    field: str
    """`video` is the video that JW Platform is asked to make for an item that was made here; it has no value."""
    state: Literal["waiting", "pushed", "conflict", "refused"]
    problem: str | None
    ours: str
    """The value that was edited here, for people to read."""
    theirs: str | None
    """JW Platform's value if it is in conflict or refused, for people to read."""
    requested_at: Any
    pushed_at: Any


def updates_of(bind: Session | Connection, item_ids: Collection[str]) -> dict[str, list[ItemUpdate]]:
    """Return the edits of these items by item id, pushed ones included, and what becomes of the videos of new items.

    Items that were never edited are left out.
    """
    connection = bind.connection() if isinstance(bind, Session) else bind
    found: dict[str, list[ItemUpdate]] = {}
    for row in connection.execute(statement(_PACKAGE, "updates_of"), {"item_ids": list(item_ids)}):
        has_value = row.field in FIELDS
        stuck = has_value and row.state in ("conflict", "refused")
        found.setdefault(row.item_id, []).append(
            ItemUpdate(
                row.item_id,
                row.field,
                row.state,
                row.problem,
                in_words(row.field, decoded(row.field, row.ours)) if has_value else "",
                in_words(row.field, decoded(row.field, row.theirs)) if stuck else None,
                row.requested_at,
                row.pushed_at,
            )
        )
    return found


def resolve(bind: Session | Connection, item_id: str, field: str, side: Literal["ours", "theirs"]) -> None:
    """Decide about a field in conflict, or refused, in the caller's transaction.

    `ours` pushes the value that was edited here, over JW Platform's; `theirs` gives the item JW Platform's value. (Who
    may view it is only narrowed at once, and the rest follows with the next sync.) For a new item whose video is
    refused, the field is `video`, and only `ours` is possible: it is tried again. Raises NothingToResolve.
    """
    connection = bind.connection() if isinstance(bind, Session) else bind
    place = {"item_id": item_id, "field": field}
    # Before its edits and its creation, in the order in which the item's triggers lock them.
    connection.execute(text("SELECT FROM media_items WHERE id = :item_id FOR NO KEY UPDATE"), place)
    if field == "video" and side == "ours":
        if connection.execute(statement(_PACKAGE, "retry_creation"), place).rowcount:
            return
        raise _nothing(item_id, field)
    if field not in FIELDS:
        raise NothingToResolve(
            f"There is no field {field!r} to decide about; the fields are {', '.join(FIELDS)}. Nothing was changed."
        )
    if side == "ours":
        if not connection.execute(statement(_PACKAGE, "keep_ours"), place).rowcount:
            raise _nothing(item_id, field)
        return
    stuck = connection.execute(
        text(
            "SELECT edit.theirs, pushed_fields(item) -> edit.field AS granted"
            " FROM item_updates AS edit JOIN media_items AS item ON item.id = edit.media_item_id"
            " WHERE edit.media_item_id = :item_id AND edit.field = :field AND edit.state IN ('conflict', 'refused')"
        ),
        place,
    ).one_or_none()
    if stuck is None:
        raise _nothing(item_id, field)
    theirs = decoded(field, stuck.theirs)
    if field == VIEW and theirs is not None:
        # JW Platform may have withdrawn some of it since; the next sync, which is due, brings what it has now.
        theirs = intersection(decoded(field, stuck.granted) or NOBODY, theirs)
    if theirs is not None:
        write(connection, item_id, field, theirs)
    connection.execute(statement(_PACKAGE, "take_theirs"), place)
    connection.execute(statement(_PACKAGE, "follow_again"), place)


def _nothing(item_id: str, field: str) -> NothingToResolve:
    return NothingToResolve(
        f"Field {field} of item {item_id} is neither in conflict nor refused. Nothing was changed. "
        "`jwp-pipeline edits` lists what is."
    )
