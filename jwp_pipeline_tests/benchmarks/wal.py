"""Measures what a case wrote to the database: the WAL of each table, rows written, and dead rows.

pg_waldump reads the WAL, because it shows which table every byte belongs to, no matter which process wrote it. A
replication slot keeps the files until then.
"""

import re
import subprocess
from collections import Counter
from contextlib import contextmanager

from jwp_pipeline.database.embedded.binaries import find_binaries
from jwp_pipeline.database.locate import DAGSTER_SCHEMA
from jwp_pipeline.settings import Settings

SLOT = "benchmark"
RAW_TABLES = re.compile(r"raw_snapshots|raw_pages(_\w+)?")
"""The names of the raw tables and their partitions."""
CACHE = "cached_resources"
OUR_SCHEMA = Settings.model_fields["jwp_database_schema"].default

_RECORD = re.compile(
    r"rmgr: (\S+) +len \(rec/tot\): *\d+/ *(\d+),.* desc: (\S+)(?:.*? blkref #0: rel \d+/(\d+)/(\d+))?"
)
# Indexes and TOAST tables are counted with the table that they belong to.
_TABLES = """
SELECT pg_relation_filenode(part.oid) AS filenode, space.nspname AS schema, owner.relname AS table_name
FROM pg_class AS part
LEFT JOIN pg_index AS index ON index.indexrelid = part.oid
LEFT JOIN pg_class AS parent ON parent.reltoastrelid = coalesce(index.indrelid, part.oid)
JOIN pg_class AS owner ON owner.oid = coalesce(parent.oid, index.indrelid, part.oid)
JOIN pg_namespace AS space ON space.oid = owner.relnamespace
WHERE pg_relation_filenode(part.oid) IS NOT NULL
"""
_ROWS = """
SELECT coalesce(sum(n_tup_ins), 0)::int8, coalesce(sum(n_tup_upd), 0)::int8, coalesce(sum(n_tup_del), 0)::int8,
       coalesce(sum(n_dead_tup), 0)::int8
FROM pg_stat_user_tables WHERE relname = %s
"""


@contextmanager
def watched(server, data_folder):
    """Yield a dict that is filled with the figures of the block at its end.

    It begins with a checkpoint, which is the worst case for WAL. `server` is an autocommitting psycopg connection, and
    `data_folder` the data folder of the server.
    """
    figures = {}
    server.execute("CHECKPOINT")
    server.execute("SELECT pg_create_physical_replication_slot(%s, true)", [SLOT])
    try:
        first, *rows_before = server.execute("SELECT pg_current_wal_insert_lsn()").fetchone(), *_rows(server)
        yield figures
        last = server.execute("SELECT pg_current_wal_flush_lsn()").fetchone()
        rows = _rows(server)
        wal = _wal(server, data_folder, first[0], last[0])
    finally:
        server.execute("SELECT pg_drop_replication_slot(%s)", [SLOT])
    raw = sum(size for (_, table), size in wal.tables.items() if RAW_TABLES.fullmatch(table))
    ours = sum(size for (schema, _), size in wal.tables.items() if schema == OUR_SCHEMA) - raw
    dagsters = sum(size for (schema, _), size in wal.tables.items() if schema == DAGSTER_SCHEMA)
    figures |= {
        "wal_mb": wal.total / 1e6,
        "wal_raw_mb": raw / 1e6,
        "wal_ours_mb": ours / 1e6,
        "wal_dagster_mb": dagsters / 1e6,
        "wal_outside_raw_mb": (wal.total - raw - dagsters) / 1e6,
        "wal_of": {f"{schema}.{table}": size / 1e6 for (schema, table), size in wal.tables.most_common(12)},
        "wal_kinds": {kind: size / 1e6 for kind, size in wal.kinds.most_common(8)},
        "rows_written": [after - before for after, before in zip(rows[:3], rows_before[:3], strict=True)],
        "dead_rows": rows[3],
    }


class _Wal:
    def __init__(self):
        self.total = 0
        self.tables = Counter()
        self.kinds = Counter()


def _wal(server, data_folder, first, last):
    tables = {
        str(filenode): (schema, table) for filenode, schema, table in server.execute(_TABLES).fetchall() if filenode
    }
    ours = str(server.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()[0])
    command = [find_binaries().folder / "pg_waldump", "--path", data_folder / "pg_wal", "--start", first, "--end", last]
    wal = _Wal()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            manager, size, kind, database, filenode = _RECORD.match(line).groups()
            wal.total += int(size)
            wal.kinds[f"{manager} {kind}"] += int(size)
            name = tables.get(filenode, ("", "gone")) if database == ours else ("", "shared")
            wal.tables[name if filenode else ("", "none")] += int(size)
        problem = process.stderr.read()
    if process.returncode != 0:
        raise RuntimeError(f"pg_waldump cannot read the WAL from {first} to {last}: {problem}")
    return wal


def _rows(server):
    return server.execute(_ROWS, [CACHE]).fetchone()
