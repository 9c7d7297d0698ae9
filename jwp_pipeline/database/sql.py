"""Statements that live in `.sql` files, one a file, named after their intent, beside the module that runs them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from sqlalchemy import TextClause, text


@cache
def statement(package: str, name: str) -> TextClause:
    """The statement in `sql/<name>.sql` of `package`, with `:parameters` as SQLAlchemy's `text()` reads them."""
    return text(source(package, name))


def source(package: str, name: str) -> str:
    """Text of the same file."""
    return (files(package) / "sql" / f"{name}.sql").read_text(encoding="utf-8")
