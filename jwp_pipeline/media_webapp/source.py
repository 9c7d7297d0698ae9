"""Reads media-webapp's database: one read-only transaction, from which each table is streamed into a temporary table.

The connection has settings of its own and not those of our engines, because that server may be older than ours may be.
Put here everything that speaks to the other database.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import Connection, text

from jwp_pipeline.database.connection import read_database
from jwp_pipeline.database.session import Database
from jwp_pipeline.database.translation import ERRORS, clear_error
from jwp_pipeline.database.upkeep import analyze
from jwp_pipeline.errors import CannotImport
from jwp_pipeline.media_webapp.layout import SOURCE_SCHEMA, TABLES, SourceTable

OPTION = "--from"
# Their values must reach us as they are there, whatever that server, database or role has set.
_SETTINGS = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, MDY",
    "extra_float_digits": "3",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "lock_timeout": "60s",
    "search_path": "pg_catalog",
}


@dataclass(frozen=True, slots=True)
class Site:
    """What Django calls the site: pushed videos are marked with it."""

    domain: str
    name: str


class Source:
    """An open transaction in a database of media-webapp. All that is read is from one moment."""

    def __init__(self, connection: psycopg.Connection[Any], database: Database) -> None:
        self._connection = connection
        self.in_words = str(database)
        """The URL without its password."""

    def close(self) -> None:
        """End the transaction and the connection, before anybody is asked anything."""
        self._connection.close()

    def require_layout(self) -> None:
        """Raise CannotImport unless the tables and columns that an import reads are there."""
        missing = []
        for table in TABLES:
            there = {
                name
                for (name,) in self._all(
                    "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0"
                    " AND NOT attisdropped",
                    f"{SOURCE_SCHEMA}.{table.name}",
                )
            }
            if not there:
                missing.append(f"table {table.name}")
            elif absent := [name for name in table.columns if name not in there]:
                missing.append(f"{table.name}.{', '.join(absent)}")
        if missing:
            raise CannotImport(
                f"{self.in_words} is not a database of media-webapp as this version knows it: schema {SOURCE_SCHEMA} "
                f"lacks {'; '.join(missing)}. Nothing was read or written. Give the URL of media-webapp's own "
                "database; if it is of an older version, run Django's migrations there first (mediaplatform 0027, "
                "mediaplatform_jwp 0005, legacysms 0003 are known to work)."
            )

    def require_other_than(self, ours: Connection, schema: str) -> None:
        """Raise CannotImport if our tables are in the very schema that would be read.

        A lock that one session takes is visible to the other only if both are in the same database.
        """
        number = secrets.randbits(62)
        ours.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})
        seen = self._all(
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND objid = %s"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            number >> 32,
            number & (2**32 - 1),
        )
        ours.rollback()
        if seen and schema == SOURCE_SCHEMA:
            raise CannotImport(
                f"{OPTION} and JWP_DATABASE_URL name the same database, and JWP_DATABASE_SCHEMA is {schema}, the "
                "schema of media-webapp itself. Nothing was read or written. Give the record a schema of its own: set "
                "JWP_DATABASE_SCHEMA to another name, such as jwp, or leave it out."
            )

    def site(self) -> Site | None:
        """Return Django's site, if there is exactly one."""
        if self._all("SELECT to_regclass(%s)", f"{SOURCE_SCHEMA}.django_site") == [(None,)]:
            return None
        rows = self._all(f"SELECT domain, name FROM {SOURCE_SCHEMA}.django_site LIMIT 2")
        return Site(*rows[0]) if len(rows) == 1 else None

    def stage(self, ours: Connection) -> None:
        """Copy all tables into temporary tables of our session, in the caller's transaction. Nothing is kept in memory.

        Raises CannotImport if a value does not have the type that media-webapp gives it.
        """
        driver: Any = ours.connection.driver_connection
        for table in TABLES:
            columns = ", ".join(f"{name} {type_}" for name, type_ in table.columns.items())
            ours.execute(text(f"DROP TABLE IF EXISTS pg_temp.{table.copy}"))
            ours.execute(text(f"CREATE TEMPORARY TABLE {table.copy} ({columns})"))
            names = ", ".join(table.columns)
            with driver.cursor() as cursor, cursor.copy(f"COPY {table.copy} ({names}) FROM STDIN") as into:
                for piece in self._pieces(table):
                    into.write(piece)
            analyze(ours, table.copy, table.key, *(name for name in table.columns if name.endswith("_id")))

    def _pieces(self, table: SourceTable) -> Iterator[Any]:
        with self._clear(), self._connection.cursor() as cursor:
            names = ", ".join(table.columns)
            with cursor.copy(f"COPY (SELECT {names} FROM {SOURCE_SCHEMA}.{table.name}) TO STDOUT") as out:
                yield from out

    def _all(self, query: Any, *parameters: Any) -> list[tuple[Any, ...]]:
        with self._clear():
            return self._connection.execute(query, parameters or None).fetchall()

    @contextmanager
    def _clear(self) -> Iterator[None]:
        try:
            yield
        except ERRORS as error:
            raise clear_error(error, f"The database {self.in_words}", setting=OPTION) from None


@contextmanager
def open_source(url: str) -> Iterator[Source]:
    """Open a database for reading, in one repeatable-read transaction that can write nothing.

    Raises DatabaseError, which never shows the password, and CannotImport if it is no database of media-webapp.
    """
    database = read_database(url, None, setting=OPTION)
    arguments: dict[str, Any] = {**database.connection_arguments(), "client_encoding": "UTF8"}
    try:
        connection = psycopg.connect(**arguments)
        connection.read_only = True
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        for name, value in _SETTINGS.items():
            connection.execute("SELECT set_config(%s, %s, false)", [name, value])
        connection.commit()
    except (*ERRORS, ValueError) as error:
        raise clear_error(error, f"The database {database}", setting=OPTION, connected=False) from None
    with closing(connection):
        source = Source(connection, database)
        source.require_layout()
        yield source
