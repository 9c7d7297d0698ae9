"""Gives each full listing a partition of raw_pages to itself, so that TRUNCATE can drop its pages.

A full listing is as large as the library. To delete its rows would write as much WAL again, and leave the space to
autovacuum. The owner of the tables has made a fixed number of partitions, because a role that only has rights on them
cannot make any. A listing takes a free one, its *slot*, and gives it back when its pages are not needed any more. All
other snapshots share partition 0, where old pages are deleted; so does a listing that finds no free slot.

TRUNCATE needs a lock that no reader holds, such as pg_dump. If it does not get the lock at once, the pages stay until
the next sync. Put here what happens to the slots; snapshots.py decides which pages are kept.
"""

from __future__ import annotations

from sqlalchemy import Connection, Select, delete, text, update
from sqlalchemy.exc import OperationalError

from jwp_pipeline.database.connection import transaction_lock
from jwp_pipeline.database.sql import statement
from jwp_pipeline.database.tables import RawPage, RawSnapshot
from jwp_pipeline.database.translation import LOCK_TIMEOUT, sqlstate

SHARED = 0
"""The partition for snapshots without a slot."""

_LOCK = "the partitions of raw_pages"
_PATIENCE = "200ms"


def take(connection: Connection, snapshot_id: int) -> None:
    """Give a snapshot a slot of its own, if one is free."""
    transaction_lock(connection, _LOCK)
    free = connection.scalars(statement("jwp_pipeline.mirror", "free_slots"), {"holds_pages": False}).first()
    if free is not None:
        connection.execute(update(RawSnapshot).where(RawSnapshot.id == snapshot_id).values(slot=free))


def drop_pages(connection: Connection, of: Select[int]) -> None:
    """Drop the pages of the snapshots that `of` selects; those in a slot of their own as soon as `empty` is called."""
    connection.execute(delete(RawPage).where(RawPage.slot == SHARED, RawPage.snapshot_id.in_(of)))
    connection.execute(
        update(RawSnapshot).where(RawSnapshot.slot.is_not(None), RawSnapshot.id.in_(of)).values(slot=None)
    )


def empty(connection: Connection) -> None:
    """Empty the slots that were given back, in a transaction of its own, unless somebody reads them.

    Without the right to TRUNCATE a partition, its rows are deleted.
    """
    with connection.begin():
        transaction_lock(connection, _LOCK)
        for slot, may_truncate in connection.execute(
            statement("jwp_pipeline.mirror", "free_slots"), {"holds_pages": True}
        ).all():
            if not may_truncate:
                connection.execute(text("DELETE FROM raw_pages WHERE slot = :slot"), {"slot": slot})
            elif not _truncate(connection, slot):
                # Whoever reads one of them usually reads all, and everybody else has to wait behind us meanwhile.
                return


def _truncate(connection: Connection, slot: int) -> bool:
    try:
        with connection.begin_nested():
            connection.execute(text(f"SET LOCAL lock_timeout TO '{_PATIENCE}'"))
            connection.execute(text(f"TRUNCATE raw_pages_{slot:d}"))
    except OperationalError as error:
        if sqlstate(error) != LOCK_TIMEOUT:
            raise
        return False
    return True
