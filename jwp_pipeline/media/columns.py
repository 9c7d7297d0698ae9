"""The columns of items that a sync writes, in SQL; derived from the fields that mapping declares.

A statement of ours names them by a placeholder: `{fields}` for all, `{view}` for the view permission, `{content}` for
the others, each with an alias before it where one is needed: `{item.fields}`.
"""

from __future__ import annotations

import re
from functools import cache

from sqlalchemy import TextClause, text

from jwp_pipeline.access.acl import Permission
from jwp_pipeline.database.sql import source
from jwp_pipeline.media.mapping import ITEM_FIELDS, VIEW_COLUMNS

PACKAGE = "jwp_pipeline.media"

CONTENT_COLUMNS = tuple(field.column for field in ITEM_FIELDS)
ITEM_COLUMNS = (*CONTENT_COLUMNS, *VIEW_COLUMNS)

_GROUPS = {"fields": ITEM_COLUMNS, "content": CONTENT_COLUMNS, "view": VIEW_COLUMNS}
_DERIVED = {
    # As columns of a temporary table.
    "typed fields": ", ".join(f"{column.name} {column.type}" for column in ITEM_COLUMNS),
    "typed view": ", ".join(f"{column.name} {column.type}" for column in VIEW_COLUMNS),
    # What an item becomes when it is due: NULL in `mapped` keeps what it has.
    "listed fields": ", ".join(
        f"coalesce(mapped.{column.name}, item.{column.name}, {column.default}) AS {column.name}"
        for column in ITEM_COLUMNS
    ),
    # What its permission becomes before it is due.
    "narrowed view": ", ".join(
        f"coalesce(narrowed.{column.name}, item.{column.name}) AS {column.name}" for column in VIEW_COLUMNS
    ),
}
_PLACEHOLDER = re.compile(r"\{(?:(\w+)\.)?([a-z][a-z ]*)\}")


@cache
def statement(name: str) -> TextClause:
    """The statement in sql/<name>.sql of the media side, with its placeholders filled."""
    return text(_PLACEHOLDER.sub(_columns, source(PACKAGE, name)))


def _columns(placeholder: re.Match[str]) -> str:
    alias, what = placeholder.groups()
    if what in _DERIVED:
        return _DERIVED[what]
    prefix = f"{alias}." if alias else ""
    return ", ".join(prefix + column.name for column in _GROUPS[what])


def view_values(permission: Permission | None) -> tuple[bool | list[str] | None, ...]:
    """Values of the view permission's columns; without a permission NULLs."""
    if permission is None:
        return (None,) * len(VIEW_COLUMNS)
    return (
        permission.is_public,
        permission.is_signed_in,
        list(permission.crsids),
        list(permission.lookup_groups),
        list(permission.lookup_insts),
    )
