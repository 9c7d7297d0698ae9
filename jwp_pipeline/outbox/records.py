"""Reads the edits that are due, and records what became of them.

Everything about one item is recorded in one transaction, which the caller opens. An edit that somebody makes while its
item is pushed has a higher number, and stays. Put here what a push reads and writes; push.py asks JW Platform.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from jwp_pipeline.access.acl import NOBODY, Permission, intersection
from jwp_pipeline.database.problems import create_found_problems, record_problems
from jwp_pipeline.database.sql import statement
from jwp_pipeline.database.write_back import as_pipeline
from jwp_pipeline.media.permissions import Known
from jwp_pipeline.outbox.fields import FIELDS, Unsendable, Value, column_values, decoded, in_words
from jwp_pipeline.outbox.merge import Decision, Edit

_PACKAGE = "jwp_pipeline.outbox"
VIEW = "view_permission"


class ItemBusy(Exception):
    """Raised if somebody else is writing an item. A push that waited would hold up all other items."""


@dataclass(frozen=True, slots=True)
class WaitingEdit:
    """An edit of one field, as it was when it was read."""

    field: str
    number: int
    """Its edit_number."""
    base: Value
    """The value that it was made on; None if that cannot be read."""
    base_updated: int
    """JWP's `updated` of the video when it was made."""
    ours: Value
    """The value to push; None if Python cannot hold it."""
    attempted: tuple[Value, ...]
    """The values that earlier pushes may have stored at JW Platform."""
    was_stuck: bool
    """Whether it was in conflict or refused before."""


@dataclass(frozen=True, slots=True)
class DueItem:
    """An item with edits that are due."""

    item_id: str
    key: str
    known: Known
    """What is known about the video's permission, to tell an ACL that has vanished from one that never was."""
    edits: tuple[WaitingEdit, ...]
    tries: int
    """How often in a row the push of its edits has failed."""


def next_in_line(connection: Connection, *, seen: Collection[str], limit: int, early: bool = False) -> list[str]:
    """Return the ids of items whose edits are due, at most `limit`, without `seen`: the oldest edits and the newest.

    With `early`, those that wait for another try are due as well.
    """
    found = connection.execute(statement(_PACKAGE, "in_line"), {"seen": list(seen), "limit": limit, "early": early})
    return [row.item_id for row in found]


def free_items(connection: Connection, item_ids: Sequence[str]) -> list[str]:
    """Lock those of the items that nobody else is writing, in the caller's transaction, and return their ids."""
    locked = set(connection.execute(statement(_PACKAGE, "lock_items"), {"item_ids": list(item_ids)}).scalars())
    return [item_id for item_id in item_ids if item_id in locked]


def due_items(connection: Connection, item_ids: Sequence[str]) -> list[DueItem]:
    """Return these items with their waiting edits. Items without any are left out."""
    rows = connection.execute(statement(_PACKAGE, "due_items"), {"item_ids": list(item_ids)})
    return [
        DueItem(
            row.item_id,
            row.key,
            Known(row.acl_state, row.had_acl, row.sms_media_id, None),
            tuple(_edit(each, row.present) for each in row.edits),
            row.tries,
        )
        for row in rows
    ]


def _edit(row: dict[str, Any], present: dict[str, Any]) -> WaitingEdit:
    name = row["field"]
    ours = present[name] if row["ours"] is None else row["ours"]
    return WaitingEdit(
        name,
        row["number"],
        decoded(name, row["base"]),
        row["base_updated"],
        decoded(name, ours),
        attempted=tuple(decoded(name, value) for value in row["attempted"] or ()),
        was_stuck=row["ours"] is not None,
    )


def note_attempt(connection: Connection, items: Iterable[DueItem]) -> None:
    """Store the values that are about to be sent. After a crash, nothing else tells them from those of others.

    The items must be locked: whoever edits one locks it first, and then its edits.
    """
    attempts = [
        {"item_id": item.item_id, "field": edit.field, "value": as_json(edit.field, sent)}
        for item in items
        for edit in item.edits
        if (sent := _as_sent(edit)) is not None and sent not in edit.attempted
    ]
    if attempts:
        connection.execute(statement(_PACKAGE, "note_attempt"), attempts)


def _as_sent(edit: WaitingEdit) -> Value:
    try:
        return None if edit.ours is None else FIELDS[edit.field].as_sent(edit.ours)
    except Unsendable:
        return None


def as_json(name: str, value: Value) -> str | None:
    """Return the JSON text of a field's value; None if there is no value."""
    return None if value is None else json.dumps(FIELDS[name].encode(value))


def settle(
    connection: Connection, item: DueItem, decisions: Sequence[Decision], *, shown: int, updated: int
) -> list[float]:
    """Record decisions whose fields JW Platform has, or will keep, as decided.

    `shown` is the stamp that the video had, and `updated` the one that it has now. Returns the seconds from each edit
    to its arrival there. Raises ItemBusy.
    """
    present = _lock(connection, item)
    seconds = []
    for decision in decisions:
        name, number = decision.edit.field, decision.edit.number
        place = {"item_id": item.item_id, "field": name, "number": number}
        if decision.verdict == "theirs":
            if _forget(connection, place):
                give_theirs(connection, item.item_id, decision.edit)
            continue
        settled = connection.execute(
            statement(_PACKAGE, "settle_edit"), {**place, "value": as_json(name, decision.sent), "updated": updated}
        ).one_or_none()
        if settled is None or settled.state != "pushed":
            continue
        if decision.verdict == "push":
            seconds.append(float(settled.seconds))
        if decoded(name, present[name]) != decision.sent:
            # What JW Platform gives back differs in form, or the item did not have the value while it was undecided.
            write(connection, item.item_id, name, decision.sent)
    if updated != shown:
        stamps = {"shown": shown, "updated": updated}
        connection.execute(statement(_PACKAGE, "raise_base"), {"item_id": item.item_id, **stamps})
    connection.execute(statement(_PACKAGE, "remember_push"), {"key": item.key, "updated": updated})
    return seconds


def set_aside(connection: Connection, item: DueItem, decisions: Sequence[Decision], state: str) -> None:
    """Record edits that are in `conflict` or `refused`. Until that is decided, an item is for those whom both admit.

    Raises ItemBusy.
    """
    present = _lock(connection, item)
    for decision in decisions:
        edit = decision.edit
        stuck = connection.execute(
            statement(_PACKAGE, "set_aside"),
            {
                "item_id": item.item_id,
                "field": edit.field,
                "number": edit.number,
                "state": state,
                "problem": decision.problem or conflict_text(decision),
                "ours": json.dumps(present[edit.field]) if edit.ours is None else as_json(edit.field, edit.ours),
                "theirs": as_json(edit.field, edit.theirs),
            },
        ).rowcount
        if stuck and isinstance(edit.ours, Permission):
            granted = decoded(VIEW, present[VIEW])
            both = intersection(intersection(edit.ours, edit.theirs or NOBODY), granted)
            if both != granted:
                write(connection, item.item_id, VIEW, both)


def give_theirs(connection: Connection, item_id: str, edit: Edit) -> None:
    """Give the item JW Platform's value. If that cannot be read, the item keeps its own, but for who may view it."""
    if edit.theirs is not None:
        write(connection, item_id, edit.field, edit.theirs)
    elif edit.field == VIEW:
        write(connection, item_id, VIEW, NOBODY)


def conflict_text(decision: Decision) -> str:
    """Return the problem of a field that was changed on both sides."""
    name = decision.edit.field
    return (
        f"{name} was changed on both sides: here to {in_words(name, decision.edit.ours)!r}, at JW Platform to "
        f"{in_words(name, decision.edit.theirs)!r}. Neither was overwritten."
    )[:2000]


def try_later(connection: Connection, item: DueItem, problem: str, seconds: float) -> None:
    """Record a failure that may pass: the item's edits are tried again after so many seconds. Raises ItemBusy."""
    _lock(connection, item)
    connection.execute(
        statement(_PACKAGE, "try_later"), {"item_id": item.item_id, "problem": problem, "seconds": seconds}
    )


def go_behind(connection: Connection, item: DueItem) -> None:
    """Let the next push try other items first. The item's edits are due as before. Raises ItemBusy."""
    _lock(connection, item)
    connection.execute(statement(_PACKAGE, "go_behind"), {"item_id": item.item_id})


def record_stuck(connection: Connection) -> None:
    """Enter all conflicts and refusals in sync_problems, and resolve those that are gone."""
    create_found_problems(connection)
    connection.execute(statement(_PACKAGE, "problems"))
    record_problems(connection, "push", "video", complete=True)


def write(connection: Connection, item_id: str, name: str, value: Value) -> None:
    """Write a field of an item as the pipeline, so that it does not count as an edit."""
    columns = column_values(name, value)
    with as_pipeline(connection):
        connection.execute(
            text(
                f"UPDATE media_items SET {', '.join(f'{column} = :{column}' for column in columns)}, updated_at = now()"
                " WHERE id = :item_id"
            ),
            {"item_id": item_id, **columns},
        )


def _lock(connection: Connection, item: DueItem) -> dict[str, Any]:
    """Lock the item before its edits, in the order in which its triggers do, and return its fields as JSON.

    Raises ItemBusy if somebody else is writing it.
    """
    present: dict[str, Any] | None = connection.execute(
        text("SELECT pushed_fields(item) FROM media_items AS item WHERE id = :item_id FOR NO KEY UPDATE SKIP LOCKED"),
        {"item_id": item.item_id},
    ).scalar_one_or_none()
    if present is None:
        raise ItemBusy(f"Somebody else is writing item {item.item_id}.")
    return present


def _forget(connection: Connection, place: dict[str, Any]) -> bool:
    """Drop an edit that JW Platform's value replaces, unless it was edited again meanwhile."""
    return bool(
        connection.execute(
            text(
                "DELETE FROM item_updates"
                " WHERE media_item_id = :item_id AND field = :field AND edit_number = :number AND state = 'waiting'"
            ),
            place,
        ).rowcount
    )
