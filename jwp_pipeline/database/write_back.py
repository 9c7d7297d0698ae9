"""Tells the triggers of media_items who writes, and whether edits are recorded.

An edit of an item by anybody but the pipeline is recorded in `item_updates`, so the pipeline marks its own
transactions.
Put here what the triggers of migration 0008 read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text


def mark_as_pipeline(connection: Connection) -> None:
    """Mark the caller's transaction as one of the pipeline's, so that none of its writes counts as an edit.

    The mark has no effect for a role that may not write table `videos`.
    """
    connection.execute(text("SELECT set_config('jwp_pipeline.writer', 'pipeline', true)"))


@contextmanager
def as_pipeline(connection: Connection) -> Iterator[None]:
    """Mark only what the block writes, in a transaction of somebody else, whose own writes count as edits."""
    before = connection.scalar(text("SELECT current_setting('jwp_pipeline.writer', true)"))
    mark_as_pipeline(connection)
    yield
    # After an error there is nothing to restore, because the transaction cannot go on.
    connection.execute(text("SELECT set_config('jwp_pipeline.writer', :before, true)"), {"before": before or ""})


def record_edits(connection: Connection, *, on: bool) -> None:
    """Let the triggers record edits, or stop them (JWP_SYNC_ITEMS). Writes only if that changes anything."""
    connection.execute(
        text(
            "INSERT INTO write_back (records_edits)"
            " SELECT :on WHERE NOT EXISTS (SELECT FROM write_back WHERE records_edits = :on)"
            " ON CONFLICT (singleton) DO UPDATE SET records_edits = excluded.records_edits"
        ),
        {"on": on},
    )
