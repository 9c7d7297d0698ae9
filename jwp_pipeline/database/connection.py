"""Opens engines and connections to a database, and takes advisory locks in it.

Put here how connections are opened and locked. locate.py chooses the URL, and session.py prepares each new connection.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, text

from jwp_pipeline import json_text
from jwp_pipeline.database.session import Database, Preparation
from jwp_pipeline.database.sql import statement
from jwp_pipeline.database.translation import ERRORS, LOCK_TIMEOUT, clear_error, sqlstate
from jwp_pipeline.database_url import connection_parameters
from jwp_pipeline.errors import DatabaseError, SyncInProgress

WRITER_LOCK = "the cache and what follows it"
"""The advisory lock that every writer of our tables holds, so that only one process writes at a time."""

# psycopg 3, for COPY, server-side cursors and typed parameters. The driver is named because SQLAlchemy's default for
# `postgresql://` has changed before.
_DRIVER = "postgresql+psycopg"
_DATABASE = "jwp_pipeline_database"
_log = logging.getLogger(__name__)


def read_database(url: str, schema: str | None, *, setting: str = "JWP_DATABASE_URL") -> Database:
    """Parse a URL as libpq does. Raises DatabaseError if the URL cannot be read."""
    try:
        return Database(connection_parameters(url), schema, setting)
    except ValueError as flaw:
        raise DatabaseError(f"The URL of the database {flaw}. Mend {setting}.") from None


def open_engine(url: str, schema: str | None, *, setting: str = "JWP_DATABASE_URL") -> Engine:
    """Make an engine for `url`, which may be anything that libpq accepts. Its connections see only `schema`.

    The engine connects lazily; use `connect()` to get clear errors. Raises DatabaseError if the URL cannot be read.
    """
    database = read_database(url, schema, setting=setting)
    engine = create_engine(
        f"{_DRIVER}://",
        pool_pre_ping=True,
        json_deserializer=json_value,
        # Error messages must not contain the data that we write.
        hide_parameters=True,
        execution_options={_DATABASE: database},
    )
    Preparation(database).attach(engine)
    return engine


def in_words(engine: Engine) -> str:
    """Return the URL of an engine's database without its password, to show to people."""
    return str(engine.get_execution_options().get(_DATABASE) or engine.url.set(query={}))


def json_value(text: str | bytes) -> Any:
    """Parse a `jsonb` value, without failing if PostgreSQL accepts it and Python does not.

    An integer with more digits than Python accepts becomes a float, usually an infinity, and a value that is nested
    too deeply becomes None. A single such value must not make a query of thousands of rows fail.
    """
    try:
        return json_text.loads(text)
    except RecursionError:
        return None


@contextmanager
def connect(engine: Engine) -> Iterator[Connection]:
    """Open a connection that is in no transaction.

    Errors of SQLAlchemy and of the driver, both when connecting and in the block, are raised as DatabaseError.
    """
    database = engine.get_execution_options().get(_DATABASE)
    name = f"The database {in_words(engine)}"
    setting = database.setting if database else "JWP_DATABASE_URL"
    try:
        connection = engine.connect()
    # A ValueError means that the host is not a possible host name.
    except (*ERRORS, ValueError) as error:
        raise clear_error(error, name, setting=setting, connected=False) from None
    with connection:
        try:
            yield connection
        except ERRORS as error:
            more = _blockers(connection) if sqlstate(error) == LOCK_TIMEOUT else ""
            raise clear_error(error, name, setting=setting, more=more) from None


def _blockers(connection: Connection) -> str:
    """Return a sentence that names the sessions that may have blocked us, or an empty string if none are found."""
    try:
        connection.rollback()
        sessions = connection.execute(statement("jwp_pipeline.database", "blockers")).all()
        connection.rollback()
    except ERRORS:
        return ""
    return f"Locks on our tables are held by {'; '.join(map(_named, sessions))}." if sessions else ""


def _named(session: Any) -> str:
    if session.pid is None:
        return f"a prepared transaction ({session.tables}; see pg_prepared_xacts)"
    told = [f"role {session.role}"] if session.role else []
    told += [f"application {session.application!r}"] if session.application else []
    told += [f"in a transaction since {session.since:%Y-%m-%d %H:%M:%S} UTC"] if session.since else []
    return f"process {session.pid} ({', '.join([*told, session.tables])})"


@contextmanager
def advisory_lock(connection: Connection, name: str, *, patience: float) -> Iterator[None]:
    """Hold the session-level advisory lock `name` of this schema on `connection`.

    Raises SyncInProgress if the lock is not free within `patience` seconds, and DatabaseError if the lock was lost
    during the block. The server frees the lock when the session ends, however that happens. No transaction is left
    open.
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
    except BaseException:
        _unlock(connection, key)
        raise
    if not _unlock(connection, key):
        raise DatabaseError(
            f"The connection that held the lock on {name} was lost meanwhile. What was committed stays; start again, "
            "and see whether the server or something on the way to it ends connections that are quiet."
        )


def _unlock(connection: Connection, key: dict[str, str]) -> bool:
    """Free the lock. Returns False if it was already lost together with its session. Never raises a database error."""
    try:
        connection.rollback()
        held = bool(connection.scalar(_UNLOCK, key))
        connection.commit()
    except ERRORS as error:
        _log.info("A lock could not be freed, so its session is ended: %s", type(error).__name__)
        connection.invalidate()
        return False
    return held


def transaction_lock(connection: Connection, name: str) -> None:
    """Hold the same lock until the end of the caller's transaction, however long it takes to get it."""
    connection.execute(_TRANSACTION_LOCK, {"name": name})


_KEY = "hashtextextended('jwp_pipeline/' || current_schema() || '/' || :name, 0)"
_LOCK = text(f"SELECT pg_try_advisory_lock({_KEY})")
_UNLOCK = text(f"SELECT pg_advisory_unlock({_KEY})")
_TRANSACTION_LOCK = text(f"SELECT pg_advisory_xact_lock({_KEY})")
