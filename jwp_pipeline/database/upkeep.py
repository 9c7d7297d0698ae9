"""Vacuums and analyzes a table at once after a large write, instead of a minute later as autovacuum would.

The planner then has statistics about the table. Without them it expects one row, and chooses plans whose time grows
with the square of the library. Vacuuming also empties the pending lists of GIN indexes, which slow down searches, and
sets the hint bits of the new rows, which the next read would otherwise set while writing whole pages of WAL. Put here
what has to happen before or after a large write.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from jwp_pipeline.database.connection import connect
from jwp_pipeline.database.descriptions import table_named
from jwp_pipeline.errors import DatabaseError

# A write counts as large by these numbers, which are autovacuum's defaults for inserted rows.
_ENOUGH_ROWS = 1000
_ENOUGH_OF_ALL = 0.2
# The number of rows from which dropping the indexes is worth locking the table.
_LARGE = 10_000
_log = logging.getLogger(__name__)


def is_much(written: int, live: int) -> bool:
    """Whether `written` rows, in a table that then has `live` rows, are enough to analyze or vacuum it."""
    return written >= _ENOUGH_ROWS and written >= _ENOUGH_OF_ALL * live


@contextmanager
def without_gin_indexes(connection: Connection, name: str, *, rows: int) -> Iterator[None]:
    """Drop the GIN indexes of table `name` while the block writes its first `rows` rows, then build them again.

    Building them afterwards takes half the time and WAL. This is done only if there are many rows and the table is
    empty, ours, and not in use at this moment; it locks the table until the caller's transaction ends. Otherwise the
    block runs with the indexes in place.
    """
    indexes = [index for index in table_named(name).indexes if index.dialect_options["postgresql"]["using"] == "gin"]
    if rows < _LARGE or not _is_free(connection, name):
        indexes = []
    for index in indexes:
        index.drop(connection, checkfirst=True)
    yield
    connection.execute(text("SET LOCAL maintenance_work_mem TO '256MB'"))
    for index in indexes:
        index.create(connection)


def _is_free(connection: Connection, table: str) -> bool:
    """Lock a table for the caller alone if it is empty and ours. Returns whether it is now locked."""
    empty_and_ours = text(
        f"SELECT NOT EXISTS (SELECT FROM {table}) AND pg_has_role(relowner, 'USAGE')"
        f" FROM pg_class WHERE oid = '{table}'::regclass"
    )
    if not connection.scalar(empty_and_ours):
        return False
    try:
        with connection.begin_nested():
            connection.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE NOWAIT"))
    except OperationalError:
        return False
    return True


def analyze(connection: Connection, table: str, *columns: str) -> None:
    """Update the planner's statistics about a table as it is in this transaction, unless the table is locked.

    Of a temporary table, only the `columns` that queries join or filter by are worth the time. Without any, all are
    looked at.
    """
    only = f" ({', '.join(columns)})" if columns else ""
    connection.execute(text(f"ANALYZE (SKIP_LOCKED) {table}{only}"))


def unknown(connection: Connection, tables: Collection[str]) -> list[str]:
    """Return those of `tables` that have rows but no statistics about them."""
    names = text(
        "SELECT name FROM unnest(CAST(:tables AS text[])) AS given (name) JOIN pg_class ON oid = to_regclass(name)"
        " WHERE reltuples <= 0 AND pg_relation_size(oid) > 0"
    )
    return [*connection.scalars(names, {"tables": list(tables)})]


def vacuum(engine: Engine, tables: Collection[str]) -> None:
    """Vacuum and analyze tables, except those that are locked or that our role may not vacuum.

    Database errors are only logged, because the write is committed and autovacuum will process the tables anyway.
    """
    if not tables:
        return
    names = ", ".join(sorted(tables))
    try:
        with connect(engine) as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.execute(text(f"VACUUM (ANALYZE, SKIP_LOCKED, TRUNCATE FALSE) {names}"))
    except DatabaseError as error:
        _log.warning(
            "%s: written and committed, but not vacuumed. Queries may be slow until autovacuum comes. %s", names, error
        )
