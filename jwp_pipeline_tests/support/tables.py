"""Helpers to empty our tables before a test and to read them afterwards."""

from sqlalchemy import text

from jwp_pipeline.database import budget_tables, history_tables, import_tables, media_tables  # noqa: F401 - so that Base knows their tables
from jwp_pipeline.database.tables import Base

SCHEMA = "jwp"

_USED = """
SELECT name FROM unnest(CAST(:names AS text[])) AS name
WHERE pg_relation_size(CAST(name AS regclass)) > 0
   OR EXISTS (SELECT FROM pg_partition_tree(CAST(name AS regclass)) AS part WHERE pg_relation_size(part.relid) > 0)
"""


def empty(engine):
    """Empty all our tables. Those without any page are left alone, because each would cost as much as a full one."""
    with engine.begin() as connection:
        names = [table.name for table in Base.metadata.sorted_tables]
        used = connection.scalars(text(_USED), {"names": names}).all()
        if used:
            connection.execute(text(f"TRUNCATE {', '.join(used)} CASCADE"))


def rows(engine, query, **parameters):
    """Return all rows of a query."""
    with engine.connect() as connection:
        return connection.execute(text(query), parameters).all()


def contents(engine, *tables):
    """Return table → all its rows in a definite order, to see whether anything in it has changed."""
    return {table: sorted(map(repr, rows(engine, f"SELECT * FROM {table}"))) for table in tables}


def cache(engine, resource_type="video"):
    """Return the rows of cached_resources by key."""
    query = "SELECT * FROM cached_resources WHERE type = :type"
    return {row.key: row for row in rows(engine, query, type=resource_type)}


def touched(engine):
    """Return, by type and key, the transactions that wrote and that locked each row of cached_resources."""
    query = "SELECT type, key, xmin || ' ' || xmax AS touched_by FROM cached_resources"
    return {(row.type, row.key): row.touched_by for row in rows(engine, query)}


def live(engine, resource_type="video"):
    """Return the keys of the live rows."""
    return {key for key, row in cache(engine, resource_type).items() if row.deleted_at is None}


def waits_for_lock(engine):
    """Return whether any session of this database waits for a lock."""
    waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    return bool(rows(engine, waiting))
