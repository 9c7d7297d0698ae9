"""Puts the columns of items that a sync writes into SQL statements; they derive from the fields that mapping declares.

A statement in sql/ refers to them with placeholders: `{fields}` for all of them, `{view}` for those of the view
permission, and `{content}` for the others. A placeholder may begin with a table alias, as in `{item.fields}`.
"""

from __future__ import annotations

import re
from functools import cache

from sqlalchemy import TextClause, text

from jwp_pipeline.access.acl import Permission
from jwp_pipeline.database.outbox_tables import EDITED_AS
from jwp_pipeline.database.sql import source
from jwp_pipeline.media.mapping import ITEM_FIELDS, VIEW_COLUMNS

PACKAGE = "jwp_pipeline.media"

CONTENT_COLUMNS = tuple(field.column for field in ITEM_FIELDS)
ITEM_COLUMNS = (*CONTENT_COLUMNS, *VIEW_COLUMNS)

_GROUPS = {"fields": ITEM_COLUMNS, "content": CONTENT_COLUMNS, "view": VIEW_COLUMNS}
_DERIVED = {
    # Column definitions of a temporary table.
    "typed fields": ", ".join(f"{column.name} {column.type}" for column in ITEM_COLUMNS),
    "typed view": ", ".join(f"{column.name} {column.type}" for column in VIEW_COLUMNS),
    # The values that an item gets when it is due. NULL in `mapped` keeps the value that it has.
    "listed fields": ", ".join(
        f"coalesce(mapped.{column.name}, item.{column.name}, {column.default}) AS {column.name}"
        for column in ITEM_COLUMNS
    ),
    # The values that a sync would write, but for the fields that were written meanwhile, and those that it keeps.
    "kept edits": ", ".join(
        f"{column.name} = CASE WHEN '{EDITED_AS[column.name]}' = ANY (written.fields) OR mapped.{column.name} IS NULL"
        f" THEN item.{column.name} ELSE proposed.{column.name} END"
        for column in ITEM_COLUMNS
        if column.name in EDITED_AS
    ),
    # The view permission that an item gets before it is due.
    "narrowed view": ", ".join(
        f"coalesce(narrowed.{column.name}, item.{column.name}) AS {column.name}" for column in VIEW_COLUMNS
    ),
}
_PLACEHOLDER = re.compile(r"\{(?:(\w+)\.)?([a-z][a-z ]*)\}")


@cache
def statement(name: str) -> TextClause:
    """Return the statement in sql/<name>.sql of this package, with its placeholders replaced."""
    return text(_PLACEHOLDER.sub(_columns, source(PACKAGE, name)))


def _columns(placeholder: re.Match[str]) -> str:
    alias, what = placeholder.groups()
    if what in _DERIVED:
        return _DERIVED[what]
    prefix = f"{alias}." if alias else ""
    return ", ".join(prefix + column.name for column in _GROUPS[what])


def view_values(permission: Permission | None) -> tuple[bool | tuple[str, ...] | None, ...]:
    """Return the values of the view permission's columns, which are all None if there is no permission."""
    if permission is None:
        return (None,) * len(VIEW_COLUMNS)
    return (
        permission.is_public,
        permission.is_signed_in,
        permission.crsids,
        permission.lookup_groups,
        permission.lookup_insts,
    )
