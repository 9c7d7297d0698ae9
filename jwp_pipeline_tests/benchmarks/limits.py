"""Measures the least time that the work of a sync can take, with the same bytes but without a pipeline around them.

`fetch` reads all pages with the pipeline's client and keeps none. `database` works on the tables that the last sync
left: it joins the ledger of the newest listing of videos with the cache in plain SQL, and copies its pages and its rows
with COPY. It also counts the bytes of the newest pages of both types. Each runs in its own process and prints
wall-clock seconds as JSON.
"""

import json
import sys
import time
from statistics import median

from sqlalchemy import text

from jwp_pipeline.database.locate import open_database
from jwp_pipeline.jwplatform.connect import connect
from jwp_pipeline.jwplatform.management import RESOURCE_TYPES
from jwp_pipeline.settings import load_settings

DIFF_REPETITIONS = 5

_NEWEST = "(SELECT max(id) FROM raw_snapshots WHERE resource_type = 'video' AND scope = 'full')"
_DIGEST_DIFF = (
    "SELECT count(*) FROM (SELECT unnest(keys) AS key, unnest(digests) AS digest FROM raw_pages"
    f" WHERE snapshot_id = {_NEWEST}) AS listed"
    " LEFT JOIN cached_resources AS cached"
    " ON cached.type = 'video' AND cached.deleted_at IS NULL AND cached.key = listed.key"
    " WHERE (cached.digest = listed.digest) IS NOT TRUE"
)
# What COPY loads, and the columns of the table that it loads into, which has only the essential columns of our own.
_COPIES = {
    "pages": (f"SELECT body FROM raw_pages WHERE snapshot_id = {_NEWEST}", "body text"),
    "rows": ("SELECT key, data FROM raw_videos", "key text PRIMARY KEY, data jsonb NOT NULL"),
}
_STORED = (
    "SELECT sum(pg_column_size(body)) FROM raw_pages WHERE snapshot_id IN"
    " (SELECT max(id) FROM raw_snapshots WHERE scope = 'full' GROUP BY resource_type)"
)


def fetch():
    """Return the seconds and requests that reading all listings takes, without storing anything."""
    client = connect(load_settings())
    # The first reading does not count: in it the simulator computes each listing, which it does only once.
    for _ in range(2):
        started, before = time.monotonic(), client.stats.requests
        for resource_type in RESOURCE_TYPES:
            for _ in client.list_pages(resource_type):
                pass
    figures = {"fetch_seconds": time.monotonic() - started, "fetch_requests": client.stats.requests - before}
    client.close()
    return figures


def database():
    """Return the median seconds of a diff, the seconds of COPY and commit for the same pages and rows, and the MB of
    the pages as they are stored, which is compressed.
    """
    engine = open_database(load_settings())
    figures = {"digest_diff_seconds": median(_digest_diff(engine) for _ in range(DIFF_REPETITIONS))}
    with engine.connect() as connection:
        for name, (query, columns) in _COPIES.items():
            figures[f"copy_{name}_seconds"] = _copy(connection, query, columns)
        figures["stored_pages_mb"] = float(connection.scalar(text(_STORED))) / 1e6
    engine.dispose()
    return figures


def _digest_diff(engine):
    # Use a new server process each time, as a sync does, because allocating its memory is part of the cost.
    engine.dispose()
    with engine.connect() as connection:
        for setting in ("work_mem TO '64MB'", "enable_nestloop TO off", "enable_mergejoin TO off"):
            connection.execute(text(f"SET {setting}"))
        started = time.monotonic()
        differing = connection.scalar(text(_DIGEST_DIFF))
        seconds = time.monotonic() - started
    if differing:
        raise RuntimeError(f"{differing} videos differ: the diff is to be measured right after a sync.")
    return seconds


def _copy(connection, query, columns):
    cursor = connection.connection.cursor()
    with cursor.copy(f"COPY ({query}) TO STDOUT") as outgoing:
        blocks = [bytes(block) for block in outgoing]
    cursor.execute(f"CREATE TABLE benchmark_copy ({columns})")
    started = time.monotonic()
    with cursor.copy("COPY benchmark_copy FROM STDIN") as incoming:
        for block in blocks:
            incoming.write(block)
    connection.commit()
    seconds = time.monotonic() - started
    cursor.execute("DROP TABLE benchmark_copy")
    connection.commit()
    return seconds


if __name__ == "__main__":
    print(json.dumps({"fetch": fetch, "database": database}[sys.argv[1]]()))
