"""Engines and advisory locks: the way to the database, given as a URL and a schema.

Every connection has exactly our schema on its search path, speaks UTC, and notices a dead client.
Not here: which URL (see `locate.py`), tables, queries.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from jwp_pipeline import json_text
from jwp_pipeline.database.embedded.binaries import OLDEST_MAJOR
from jwp_pipeline.errors import DatabaseError, SyncInProgress
from jwp_pipeline.settings import flaw_of_database_url

WRITER_LOCK = "the cache and what follows it"
"""Advisory lock of whoever writes our tables: one writer at a time, whatever started it."""

# psycopg 3: COPY, server-side cursors and typed parameters. Named, since what `postgresql://` means has changed once.
DRIVER = "postgresql+psycopg"

# Options of the URL are refused by all of them; a ValueError is that of a host that no name can be.
_NO_CONNECTION = (SQLAlchemyError, psycopg.Error, ValueError)


def open_engine(url: str, schema: str) -> Engine:
    """An engine on `url` (any postgresql:// spelling) whose connections see only `schema`.

    Connects lazily. Connection failures surface as DatabaseError from `connect()`, without the password.
    Raises DatabaseError for a URL that cannot be read.
    """
    if flaw := flaw_of_database_url(url):
        raise DatabaseError(f"The URL of the database {flaw}. Mend JWP_DATABASE_URL.")
    place = make_url(url).set(drivername=DRIVER)
    try:
        engine = create_engine(
            place,
            pool_pre_ping=True,
            json_deserializer=json_value,
            connect_args={"connect_timeout": 10, "application_name": "jwp_pipeline"},
        )
    except _NO_CONNECTION as error:
        raise _unusable(place, error) from None

    @event.listens_for(engine, "connect")
    def prepare(driver_connection: Any, _record: object) -> None:
        _require_recent(driver_connection)
        with driver_connection.cursor() as cursor:
            cursor.execute(f'SET search_path TO "{schema}"')
            cursor.execute("SET timezone TO 'UTC'")
            # So that a killed process frees its locks at once and not at the end of a long statement.
            cursor.execute("SET client_connection_check_interval TO '1s'")
        driver_connection.commit()

    return engine


def _require_recent(driver_connection: Any) -> None:
    major, minor = divmod(driver_connection.info.server_version, 10_000)
    if major < OLDEST_MAJOR:
        driver_connection.close()
        raise DatabaseError(
            f"The server of JWP_DATABASE_URL is PostgreSQL {major}.{minor}, and {OLDEST_MAJOR} or newer is needed. "
            "Upgrade it, name another, or unset JWP_DATABASE_URL to use the embedded PostgreSQL."
        )


def json_value(text: str | bytes) -> Any:
    """What a `jsonb` holds, though Python may hold less: one such value must not spoil a query of thousands.

    An integer of more digits than Python reads becomes an infinity, a value nested too deep None.
    """
    try:
        return json_text.loads(text)
    except RecursionError:
        return None


@contextmanager
def connect(engine: Engine) -> Iterator[Connection]:
    """A connection, outside any transaction; DatabaseError when there can be none."""
    try:
        connection = engine.connect()
    except _NO_CONNECTION as error:
        raise _unusable(engine.url, error) from None
    with connection:
        yield connection


def _unusable(url: URL, error: Exception) -> DatabaseError:
    where = url.set(query={}).render_as_string(hide_password=True)
    return DatabaseError(
        f"The database {where} cannot be used: {str(getattr(error, 'orig', error)).splitlines()[0]}. "
        "Check JWP_DATABASE_URL and that the server is up, or unset it to use the embedded PostgreSQL."
    )


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
