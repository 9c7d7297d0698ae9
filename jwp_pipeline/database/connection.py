"""Engines and advisory locks: the way to the database, given as a URL and a schema.

Every connection has exactly our schema on its search path, speaks UTC, and notices a dead client.
Not here: which URL (see `locate.py`), tables, queries.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import OperationalError

from jwp_pipeline.errors import DatabaseError, SyncInProgress

WRITER_LOCK = "the cache and what follows it"
"""Advisory lock of whoever writes our tables: one writer at a time, whatever started it."""

# psycopg 3: COPY, server-side cursors and typed parameters. Named, since what `postgresql://` means has changed once.
DRIVER = "postgresql+psycopg"


def open_engine(url: str, schema: str) -> Engine:
    """An engine on `url` (any postgresql:// spelling) whose connections see only `schema`.

    Connects lazily. Connection failures surface as DatabaseError from `connect()`, without the password.
    """
    engine = create_engine(
        make_url(url).set(drivername=DRIVER),
        pool_pre_ping=True,
        json_deserializer=json_value,
        connect_args={"connect_timeout": 10, "application_name": "jwp_pipeline"},
    )

    @event.listens_for(engine, "connect")
    def prepare(driver_connection: Any, _record: object) -> None:
        with driver_connection.cursor() as cursor:
            cursor.execute(f'SET search_path TO "{schema}"')
            cursor.execute("SET timezone TO 'UTC'")
            # So that a killed process frees its locks at once and not at the end of a long statement.
            cursor.execute("SET client_connection_check_interval TO '1s'")
        driver_connection.commit()

    return engine


def json_value(text: str | bytes) -> Any:
    """What a `jsonb` holds, though Python may hold less: one such value must not spoil a query of thousands.

    An integer of more digits than Python reads becomes an infinity, a value nested too deep None.
    """
    try:
        try:
            return json.loads(text)
        except ValueError:
            return json.loads(text, parse_int=_integer)
    except RecursionError:
        return None


def _integer(digits: str) -> int | float:
    try:
        return int(digits)
    except ValueError:
        return float(digits)


@contextmanager
def connect(engine: Engine) -> Iterator[Connection]:
    """A connection, outside any transaction; DatabaseError when the server cannot be reached."""
    try:
        connection = engine.connect()
    except OperationalError as error:
        where = engine.url.set(query={}).render_as_string(hide_password=True)
        raise DatabaseError(
            f"The database {where} cannot be used: {str(error.orig).splitlines()[0]}. "
            "Check JWP_DATABASE_URL and that the server is up, or unset it to use the embedded PostgreSQL."
        ) from None
    with connection:
        yield connection


@contextmanager
def advisory_lock(connection: Connection, name: str, *, patience: float) -> Iterator[None]:
    """Hold the session-level advisory lock `name` of this schema on `connection`.

    Waits at most `patience` seconds, then raises SyncInProgress. The server frees it when the session ends,
    however that happens. Leaves no transaction open.
    """
    key = {"name": name}
    deadline = time.monotonic() + patience
    while not connection.scalar(_LOCK, key):
        connection.rollback()
        if time.monotonic() >= deadline:
            raise SyncInProgress(
                f"Another process is at work on {name}; nothing was done here. "
                "Wait for its run to end (Dagster's Runs page shows it), then start again."
            )
        time.sleep(0.1)
    connection.commit()
    try:
        yield
    finally:
        connection.rollback()
        connection.execute(_UNLOCK, key)
        connection.commit()


def transaction_lock(connection: Connection, name: str) -> None:
    """Hold the same lock until the end of the caller's transaction; waits for whoever has it."""
    connection.execute(_TRANSACTION_LOCK, {"name": name})


_KEY = "hashtextextended('jwp_pipeline/' || current_schema() || '/' || :name, 0)"
_LOCK = text(f"SELECT pg_try_advisory_lock({_KEY})")
_UNLOCK = text(f"SELECT pg_advisory_unlock({_KEY})")
_TRANSACTION_LOCK = text(f"SELECT pg_advisory_xact_lock({_KEY})")
