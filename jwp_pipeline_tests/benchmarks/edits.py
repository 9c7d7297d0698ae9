"""Measures what the outbox's triggers cost: a bulk edit of items by an application, and the same write by a sync.

Prints, for each, the milliseconds (the median of several repetitions) with the triggers and without any, and how many
edits were recorded. Every repetition is rolled back, so that the tables stay as they are.
"""

import json
import time
from contextlib import contextmanager
from statistics import median

from sqlalchemy import text

from jwp_pipeline.database.write_back import mark_as_pipeline, record_edits
from jwp_pipeline.media.unmoved import take_notes
from jwp_pipeline.record import open_engine

REPETITIONS = 5
MOST_ITEMS = 10_000

_EDIT = text(
    "UPDATE media_items SET title = title || '.'"
    " WHERE id IN (SELECT media_item_id FROM videos WHERE deleted_at IS NULL ORDER BY key LIMIT :items)"
)


def main():
    engine = open_engine()
    with engine.connect() as connection:
        figures = [
            {
                "write": name,
                "items": items,
                **{
                    f"{what}_ms": 1000 * median(_seconds(connection, triggers, mark, items) for _ in range(REPETITIONS))
                    for what, triggers in (("with_triggers", True), ("without", False))
                },
            }
            for name, mark, items in (
                ("one edit", False, 1),
                ("a bulk edit", False, MOST_ITEMS),
                ("the same by a sync", True, MOST_ITEMS),
            )
        ]
        with _rolled_back(connection):
            record_edits(connection, on=True)
            connection.execute(_EDIT, {"items": MOST_ITEMS})
            figures[1]["recorded"] = connection.scalar(text("SELECT count(*) FROM item_updates"))
    engine.dispose()
    return figures


def _seconds(connection, triggers, mark, items):
    with _rolled_back(connection):
        record_edits(connection, on=True)
        if not triggers:
            connection.execute(text("ALTER TABLE media_items DISABLE TRIGGER USER"))
        if mark:
            mark_as_pipeline(connection)
            take_notes(connection)
        started = time.perf_counter()
        connection.execute(_EDIT, {"items": items})
        # Constraint triggers run at the end of a transaction, so that they are part of what a write costs.
        connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        return time.perf_counter() - started


@contextmanager
def _rolled_back(connection):
    transaction = connection.begin()
    try:
        yield
    finally:
        transaction.rollback()


if __name__ == "__main__":
    print(json.dumps(main()))
