"""Measures the least time that the work of a sync can take, with the same bytes but without a pipeline around them.

`fetch` reads all pages with the pipeline's client and keeps none. `database` works on the tables that the last sync
left: it compares the newest listing of videos with the cache in plain SQL, and copies its pages and its rows with COPY.
Each runs in its own process and prints wall-clock seconds as JSON.
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
_LISTED = (
    "SELECT element.data, coalesce(element.data ->> 'id', element.data ->> 'key') AS key FROM raw_pages AS page"
    " CROSS JOIN LATERAL jsonb_array_elements(coalesce(page.body -> 'media', page.body -> 'videos')) AS element (data)"
    f" WHERE page.snapshot_id = {_NEWEST}"
)
_PLAIN_DIFF = (
    f"SELECT count(*) FROM ({_LISTED}) AS listed"
    " LEFT JOIN cached_resources AS cached ON cached.type = 'video' AND cached.key = listed.key"
    " WHERE cached.key IS NULL OR cached.data <> listed.data"
)
# What COPY loads, and the columns of the table that it loads into, which has only the essential columns of our own.
_COPIES = {
    "pages": (f"SELECT body FROM raw_pages WHERE snapshot_id = {_NEWEST}", "body jsonb"),
    "rows": (f"SELECT key, data FROM ({_LISTED}) AS listed", "key text PRIMARY KEY, data jsonb NOT NULL"),
}


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
    """Return the median seconds of a plain diff, and the seconds of COPY and commit for the same pages and rows."""
    engine = open_database(load_settings())
    figures = {"plain_diff_seconds": median(_plain_diff(engine) for _ in range(DIFF_REPETITIONS))}
    with engine.connect() as connection:
        for name, (query, columns) in _COPIES.items():
            figures[f"copy_{name}_seconds"] = _copy(connection, query, columns)
    engine.dispose()
    return figures


def _plain_diff(engine):
    # Use a new server process each time, as a sync does, because allocating its memory is part of the cost.
    engine.dispose()
    with engine.connect() as connection:
        connection.execute(text("SET work_mem TO '64MB'"))
        started = time.monotonic()
        differing = connection.scalar(text(_PLAIN_DIFF))
        seconds = time.monotonic() - started
    if differing:
        raise RuntimeError(f"{differing} videos differ: the plain diff is to be measured right after a sync.")
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
