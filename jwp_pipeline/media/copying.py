"""Copies rows into temporary tables with COPY, in PostgreSQL's binary format.

Put here how values of Python become bytes of a column; staging.py says what is copied.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from psycopg import adapters, pq
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from sqlalchemy import Connection

_TEXT, _TEXT_ARRAY = adapters.types["text"].oid, adapters.types["text"].array_oid
_NO_TEXTS = struct.pack("!iiI", 0, 0, _TEXT)
# Permissions and tags are mostly those of many items, and psycopg takes ten times as long for a list as for a text.
_KEPT_ARRAYS = 16_384


def copy_rows(connection: Connection, table: str, columns: Mapping[str, str], rows: Iterable[tuple[Any, ...]]) -> None:
    """Copy rows into a table, in the caller's transaction. `columns` are the names of the columns and their types.

    A value for a `text[]` is a tuple of texts, and one for any other array a list.
    """
    driver_connection: Any = connection.connection.driver_connection
    with driver_connection.cursor() as cursor:
        cursor.adapters.register_dumper(tuple, _TextArrayDumper)
        with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)") as copy:
            # Knowing the types, psycopg need not find out about each value.
            copy.set_types(list(columns.values()))
            for row in rows:
                copy.write_row(row)


class _TextArrayDumper(Dumper):
    """Writes a tuple of texts as `text[]`."""

    format = pq.Format.BINARY
    oid = _TEXT_ARRAY

    def dump(self, obj: Any) -> Buffer:
        return _text_array(obj)


@lru_cache(_KEPT_ARRAYS)
def _text_array(texts: tuple[str, ...]) -> bytes:
    """Return the binary form of an array without NULLs: dimensions, flags, type, length and lower bound, elements."""
    if not texts:
        return _NO_TEXTS
    parts = [struct.pack("!iiIii", 1, 0, _TEXT, len(texts), 1)]
    for text in texts:
        encoded = text.encode()
        parts += struct.pack("!i", len(encoded)), encoded
    return b"".join(parts)
