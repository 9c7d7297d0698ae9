"""Fixtures for a change log whose entries can be given any date."""

from sqlalchemy import text

from jwp_pipeline.database.history_tables import LibraryDay
from jwp_pipeline.mirror.resources import set_resources
from jwp_pipeline_tests.support import rows


def mirror(engine, elements, resource_type="video", *, at=None):
    """Make the cache hold `elements`, as if the mirror had seen them at `at` (UTC), by default now."""
    with engine.begin() as connection:
        snapshot = set_resources(connection, elements, resource_type).snapshot_id
        if at is not None:
            for table, column, of in (
                ("resource_changes", "changed_at", "snapshot_id"),
                ("raw_snapshots", "applied_at", "id"),
            ):
                connection.execute(
                    text(f"UPDATE {table} SET {column} = :at WHERE {of} = :snapshot"), {"at": at, "snapshot": snapshot}
                )


def kept(engine):
    """Return the rows of library_history by (day, type), with the transactions that wrote and locked them."""
    found = rows(engine, f"SELECT *, xmin || ' ' || xmax AS touched_by FROM {LibraryDay.__tablename__}")
    return {(row.day, row.type): row for row in found}
