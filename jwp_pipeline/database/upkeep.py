"""What autovacuum would do a minute later, done at once for a table of which much was written.

The planner then knows what the table holds: without, it takes one row for likely, and chooses plans whose time grows
with the square of the library. Searches find an index without a backlog, and the next look at the new rows writes
nothing: left to itself it would set their hint bits, and with them write whole pages of WAL. Put here what follows a
large write, or prepares one.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, Table, text
from sqlalchemy.exc import OperationalError

from jwp_pipeline.database.connection import connect
from jwp_pipeline.database.tables import Base
from jwp_pipeline.errors import DatabaseError

# As autovacuum's own defaults have it.
_ENOUGH_ROWS = 1000
_ENOUGH_OF_ALL = 0.2
# Rows from which on it is worth a table's being locked.
_LARGE = 10_000
_log = logging.getLogger(__name__)


def is_much(written: int, live: int) -> bool:
    """Whether so many written rows, of so many that live afterwards, call for it."""
    return written >= _ENOUGH_ROWS and written >= _ENOUGH_OF_ALL * live


@contextmanager
def without_gin_indexes(connection: Connection, model: type[Base], *, rows: int) -> Iterator[None]:
    """Write the first `rows` of a large table before its GIN indexes: made at once they cost half the time and WAL.

    Only of a table that is empty, ours, and looked at by nobody at this moment: until the caller's transaction ends
    whoever comes must wait. Else the block is just run.
    """
    indexes = [index for index in _table_of(model).indexes if index.dialect_options["postgresql"]["using"] == "gin"]
    if rows < _LARGE or not _is_free(connection, _table_of(model).name):
        indexes = []
    for index in indexes:
        index.drop(connection, checkfirst=True)
    yield
    connection.execute(text("SET LOCAL maintenance_work_mem TO '256MB'"))
    for index in indexes:
        index.create(connection)


def _table_of(model: type[Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101 - a declarative model always has one
    return table


def _is_free(connection: Connection, table: str) -> bool:
    """Whether a table is empty and now locked for the caller alone."""
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
    """Tell the planner of a table as it is in this very transaction, if nobody holds it.

    Of the `columns` that queries join and filter by; the others would only cost time.
    """
    connection.execute(text(f"ANALYZE (SKIP_LOCKED) {table} ({', '.join(columns)})"))


def unknown(connection: Connection, tables: Collection[str]) -> list[str]:
    """Those that hold rows and were not analysed since they were empty."""
    names = text(
        "SELECT name FROM unnest(CAST(:tables AS text[])) AS given (name) JOIN pg_class ON oid = to_regclass(name)"
        " WHERE reltuples <= 0 AND pg_relation_size(oid) > 0"
    )
    return [*connection.scalars(names, {"tables": list(tables)})]


def vacuum(engine: Engine, tables: Collection[str]) -> None:
    """Vacuum and analyse tables of ours; one that somebody holds, or that is not ours to vacuum, is left alone.

    Never raises for the database's sake: what was written is committed, and autovacuum comes in any case.
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
