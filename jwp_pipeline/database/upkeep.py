"""What autovacuum would do a minute later, done at once after a sync that wrote much of a table.

The planner then knows what the table holds, searches find an index without a backlog, and the next look at the new
rows writes nothing: left to itself it would set their hint bits, and with them write whole pages of WAL.
Not here: the writing.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Engine, text

# As autovacuum's own defaults have it.
_ENOUGH_ROWS = 1000
_ENOUGH_OF_ALL = 0.2


def is_much(written: int, live: int) -> bool:
    """Whether so many written rows, of so many that live afterwards, call for it."""
    return written >= _ENOUGH_ROWS and written >= _ENOUGH_OF_ALL * live


def vacuum(engine: Engine, tables: Collection[str]) -> None:
    """Vacuum and analyse tables of ours; one that somebody holds, or that is not ours to vacuum, is left alone."""
    if not tables:
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"VACUUM (ANALYZE, SKIP_LOCKED, TRUNCATE FALSE) {', '.join(sorted(tables))}"))
