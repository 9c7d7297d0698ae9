"""What the work of a sync costs at the least: the same bytes, without a pipeline around them. Wall-clock seconds.

`fetch` consumes all pages with the pipeline's client and keeps none. `database` works on what the last sync left:
a plain comparison of the newest listing of videos with the cache, COPY of its pages, and COPY of its rows.
Each runs in a process of its own and prints JSON.
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
# What COPY is to load, and the table that it goes into: as the pipeline's own, less what a limit need not have.
_COPIES = {
    "pages": (f"SELECT body FROM raw_pages WHERE snapshot_id = {_NEWEST}", "body jsonb"),
    "rows": (f"SELECT key, data FROM ({_LISTED}) AS listed", "key text PRIMARY KEY, data jsonb NOT NULL"),
}


def fetch():
    """Seconds and requests of reading all listings, storing nothing."""
    client = connect(load_settings())
    # The first reading is for the simulator, which works out each listing once.
    for _ in range(2):
        started, before = time.monotonic(), client.stats.requests
        for resource_type in RESOURCE_TYPES:
            for _ in client.list_pages(resource_type):
                pass
    figures = {"fetch_seconds": time.monotonic() - started, "fetch_requests": client.stats.requests - before}
    client.close()
    return figures


def database():
    """Seconds of a plain diff (the median of some), and of COPY of the same pages and rows, committed."""
    engine = open_database(load_settings())
    figures = {"plain_diff_seconds": median(_plain_diff(engine) for _ in range(DIFF_REPETITIONS))}
    with engine.connect() as connection:
        for name, (query, columns) in _COPIES.items():
            figures[f"copy_{name}_seconds"] = _copy(connection, query, columns)
    engine.dispose()
    return figures


def _plain_diff(engine):
    # A server process of its own each time, as a sync has one: memory that it must first ask for is part of the cost.
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
