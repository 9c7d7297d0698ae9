"""Loads SQL statements from `.sql` files: one statement in each, in a `sql` folder next to the module that runs it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from sqlalchemy import TextClause, text


@cache
def statement(package: str, name: str) -> TextClause:
    """Return the statement in `sql/<name>.sql` of `package`, with `:parameters` as in SQLAlchemy's `text()`."""
    return text(source(package, name))


def source(package: str, name: str) -> str:
    """Return the text of the same file."""
    return (files(package) / "sql" / f"{name}.sql").read_text(encoding="utf-8")
