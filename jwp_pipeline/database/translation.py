"""Translates database errors of any driver into our own errors, with one table of SQLSTATEs.

A message says which database had the error, what the server said, and what to do next. It contains no statement, no
parameter and no password. Put here what a database error means to the user.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import psycopg
from sqlalchemy.exc import DBAPIError, PendingRollbackError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from jwp_pipeline.errors import (
    DatabaseBlocked,
    DatabaseDamaged,
    DatabaseError,
    DatabaseFull,
    DatabaseRefusal,
    MigrationError,
    UnsuitableDatabase,
    UnsuitablePooler,
)

ERRORS = (SQLAlchemyError, psycopg.Error)
"""The base classes of the errors that SQLAlchemy and our driver raise."""

CONFLICTS = frozenset({"40001", "40P01"})
"""Serialization failure and deadlock. The same transaction is likely to succeed when it is repeated."""

LOCK_TIMEOUT = "55P03"


@dataclass(frozen=True, slots=True)
class _Meaning:
    error: type[DatabaseError]
    happened: str
    advice: str
    advice_for_source: str | None = None
    """What to advise instead about a database that is named by an option, such as `--from`, and only read."""


_UNDONE = "What was not committed is undone; the next run goes on from what is stored."
_LOST = _Meaning(
    DatabaseError,
    "was lost in the middle of the work",
    f"{_UNDONE} See whether the server is up, and whether something between ends connections that are quiet.",
)
_NO_CONNECTION = _Meaning(
    DatabaseError,
    "cannot be used",
    "Check that the server is up and that {setting} is right; unset, it means the embedded PostgreSQL.",
    "Check that the server is up and that {setting} is right.",
)
_LOGIN = _Meaning(
    DatabaseError,
    "does not let us in",
    "Check the user, the password and the database in {setting}, and the server's pg_hba.conf.",
)
_STOPPED = _Meaning(
    DatabaseError,
    "ended our session, or accepts none now",
    f"{_UNDONE} See whether the server was stopped or restarted, or whether somebody ended the session.",
)
_RIGHTS = _Meaning(
    DatabaseRefusal,
    "does not let our role do what has to be done",
    "The user of {setting} must own the schema and all that is in it, or be granted what is missing.",
    "The user of {setting} needs USAGE on the schema and SELECT on its tables, and nothing more.",
)
_CHANGED_TABLES = _Meaning(
    MigrationError,
    "does not hold the tables as this version made them",
    "Somebody changed or removed a part of them. Restore it, or name another JWP_DATABASE_SCHEMA and start from there.",
)
_TIMED_OUT = _Meaning(
    DatabaseError,
    "stopped what we did",
    f"{_UNDONE} Either a time-out is set for our sessions (see the options in {{setting}}), or somebody cancelled it.",
)
_UNREADABLE = _Meaning(
    DatabaseDamaged,
    "cannot read or write its own files",
    "Look at the server's log and its disks before anything else is written; restore a backup where files are damaged.",
)
_POOLER = _Meaning(
    UnsuitablePooler,
    "is reached through a connection pooler that does not do what we need",
    "Set {setting} to the server itself, or to a pooler in session mode.",
)
_UNEXPECTED = _Meaning(
    DatabaseError,
    "refused a statement in a way that was not foreseen",
    f"{_UNDONE} If nothing in the schema was changed by hand, please report this as a fault of this program.",
)

# The keys are SQLSTATEs or their first two or three characters. The longest match wins.
_MEANINGS = MappingProxyType(
    {
        "08": _LOST,
        "0A": _Meaning(
            UnsuitableDatabase,
            "does not support what we need",
            "{setting} must name a PostgreSQL server; some products that speak its language lack parts of it.",
        ),
        "25006": _Meaning(
            DatabaseRefusal,
            "is read-only",
            "It may be a standby, or have been made read-only by its provider (often because its disk is full) or by "
            "default_transaction_read_only. Set {setting} to the primary server, or end the read-only state.",
        ),
        "25P03": _TIMED_OUT,
        "25P04": _TIMED_OUT,
        "28": _LOGIN,
        "3D": _LOGIN,
        "3F": _CHANGED_TABLES,
        "40": _Meaning(
            DatabaseBlocked,
            "undid our transaction again and again, because others wrote the same rows at the same moment",
            f"{_UNDONE} See what else writes our tables; it should be brief, and commit soon.",
        ),
        "42501": _RIGHTS,
        "42P01": _CHANGED_TABLES,
        "42703": _CHANGED_TABLES,
        "42883": _CHANGED_TABLES,
        "53": _Meaning(
            DatabaseFull,
            "has no room left",
            f"{_UNDONE} Give the server more of what it lacks, or free some of it.",
        ),
        "53100": _Meaning(DatabaseFull, "has no disk space left", f"{_UNDONE} Make room on the server's disk."),
        "53200": _Meaning(
            DatabaseFull, "has no memory left", f"{_UNDONE} Give the server more, or see what else it is doing."
        ),
        "53300": _Meaning(
            DatabaseFull,
            "has no connection left for us",
            "End sessions that nobody needs, or raise max_connections (of a pooler: its pool size). A sync takes about "
            "six, `make up` about twenty.",
        ),
        LOCK_TIMEOUT: _Meaning(
            DatabaseBlocked,
            "kept us waiting for a lock that others held",
            f"{_UNDONE} Have the other transaction end, and start again.",
        ),
        "57014": _TIMED_OUT,
        "57P": _STOPPED,
        "57P04": _LOGIN,
        "57P05": _TIMED_OUT,
        "58": _UNREADABLE,
        "P0001": _Meaning(
            DatabaseRefusal,
            "refused what we did, by a trigger or a function",
            f"{_UNDONE} Triggers on our tables are not ours: see to the one that refused.",
        ),
        "XX001": _UNREADABLE,
        "XX002": _UNREADABLE,
    }
)

# libpq gives no SQLSTATE for a refused connection, and poolers use only 08P01, so these errors are recognized by their
# message. A message in another language gets the general advice for a failed connection.
_SAID = (
    ("pooling mode", _POOLER),
    (
        "unsupported startup parameter",
        _Meaning(
            UnsuitablePooler,
            "is reached through a connection pooler that refuses an option of the connection",
            "Remove the option from {setting} or from the environment (PGOPTIONS), or have the pooler pass over it "
            "(ignore_startup_parameters of PgBouncer).",
        ),
    ),
    ("query_wait_timeout", _MEANINGS["53300"]),
    ("too many", _MEANINGS["53300"]),
    ("no more connections allowed", _MEANINGS["53300"]),
    ("connection slots are reserved", _MEANINGS["53300"]),
    ("authentication failed", _LOGIN),
    ("pg_hba.conf", _LOGIN),
    ("no password supplied", _LOGIN),
    ("database system is", _STOPPED),
)


def sqlstate(error: BaseException) -> str:
    """Return the five characters of an error's SQLSTATE, or an empty string if the server gave none."""
    driver = getattr(error, "orig", None) or error
    return str(getattr(driver, "sqlstate", None) or getattr(driver, "pgcode", None) or "")


def words(error: BaseException) -> str:
    """Return the first line of the server's message, or else of the driver's.

    The result is empty for errors about a value (SQLSTATE class 22), because those messages contain the value, and for
    errors that SQLAlchemy raised by itself, except those of its connection pool.
    """
    if isinstance(error, SQLAlchemyError) and not isinstance(error, DBAPIError | PoolTimeout):
        return ""
    driver: Any = getattr(error, "orig", None) or error
    if sqlstate(error).startswith("22"):
        return ""
    said = getattr(getattr(driver, "diag", None), "message_primary", None) or str(driver)
    return next(iter(said.strip().splitlines()), "")


def clear_error(
    error: BaseException, database: str, *, setting: str = "JWP_DATABASE_URL", connected: bool = True, more: str = ""
) -> DatabaseError:
    """Translate an error of SQLAlchemy or of a driver into one of ours.

    `database` names the database as the subject of a sentence. `connected` says whether the database was reached before
    the error. `more` is a sentence to insert before the advice.
    """
    state, said = sqlstate(error), words(error)
    meaning = _meaning(state, said, error, connected=connected)
    told = f": {said.rstrip('.')}" if said else f" (SQLSTATE {state})" if state else f" ({type(error).__name__})"
    advice = meaning.advice_for_source if setting.startswith("--") and meaning.advice_for_source else meaning.advice
    sentences = (f"{database} {meaning.happened}{told}.", more, advice.replace("{setting}", setting))
    return meaning.error(" ".join(filter(None, sentences)))


@contextmanager
def clear_errors(database: str = "The database", *, setting: str = "JWP_DATABASE_URL") -> Iterator[None]:
    """Raise every error of SQLAlchemy and of our driver as DatabaseError, for code that does not know its database."""
    try:
        yield
    except ERRORS as error:
        raise clear_error(error, database, setting=setting) from None


def _meaning(state: str, said: str, error: BaseException, *, connected: bool) -> _Meaning:
    if not state or state.startswith("08"):
        for piece, meaning in _SAID:
            if piece in said:
                return meaning
    if not connected and (not state or state.startswith("08")):
        return _NO_CONNECTION
    for length in (5, 3, 2):
        if found := _MEANINGS.get(state[:length]):
            return found
    return _LOST if _is_lost(state, error) else _UNEXPECTED


def _is_lost(state: str, error: BaseException) -> bool:
    """Whether the connection is lost. The client notices that itself, so there is no SQLSTATE from the server."""
    driver: Any = getattr(error, "orig", None) or error
    names = {each.__name__ for each in type(driver).__mro__}
    return isinstance(error, PendingRollbackError) or (
        not state and bool({"OperationalError", "InterfaceError"} & names)
    )
