"""Prepares each database connection: how to reach the server, and the session settings that our statements rely on.

Both drivers use this module, psycopg for our tables and psycopg2 for Dagster's, so that a URL means the same for both.
The settings are made after connecting and not as start-up options, because poolers refuse those, and because users may
set start-up options in the URL. Put here what a session needs before its first use.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any

import psycopg
from sqlalchemy import Engine, event

from jwp_pipeline.database.embedded.binaries import OLDEST_MAJOR
from jwp_pipeline.errors import UnsuitableDatabase, UnsuitablePooler

LOCK_SECONDS = 60
"""How long a statement waits for locks of other sessions before it fails."""

# Our statements rely on these settings, so they override those of the server, database, role and environment.
_PINNED = {
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "standard_conforming_strings": "on",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "array_nulls": "on",
    "transform_null_equals": "off",
    "gin_fuzzy_search_limit": "0",
    "default_transaction_isolation": "read committed",
}
# Administrators set these time-outs for other programs, so we override them. A time-out in the options of our own
# connection is meant for us, so it stays.
_TIME_OUTS = {
    "statement_timeout": "0",
    "transaction_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
}
_SINCE = {"transaction_timeout": 17, "idle_session_timeout": 14}
# The locks of a killed process should become free at once, not at the end of a long statement. A server on Windows
# cannot check whether its client is still there, and refuses this setting.
_LOOK_FOR_THE_CLIENT = (
    "CASE WHEN version() !~* 'visual c|windows|mingw'"
    " THEN set_config('client_connection_check_interval', '1s', false) END"
)

# Firewalls and similar devices drop a connection that has been silent for some minutes, so a keepalive is sent every
# minute. A dead connection is noticed within two minutes.
_DEFAULTS = {
    "connect_timeout": "10",
    "keepalives_idle": "60",
    "keepalives_interval": "10",
    "keepalives_count": "5",
    "tcp_user_timeout": "120000",
}
# A pooler is accepted if our transactions stay in the same session while other connections have transactions open:
# the number of other connections, and of transactions to try with each of them.
_OTHERS = 2
_LOOKS = 20


@dataclass(frozen=True, slots=True)
class Database:
    """A database, and how our sessions in it are set up."""

    parameters: Mapping[str, str] = field(repr=False)
    """libpq's connection parameters by keyword, as `database_url.connection_parameters` returns them."""
    schema: str | None
    """The only schema on the search path; None keeps the server's search path."""
    setting: str = "JWP_DATABASE_URL"
    """The setting that names the database, for messages."""
    lock_seconds: int | None = LOCK_SECONDS
    """How long a statement waits for locks; None keeps the server's setting."""
    application: str = "jwp_pipeline"
    """The name of our sessions in pg_stat_activity, unless the user gives another one."""

    def __str__(self) -> str:
        """Return the database as a URL without the password, for messages."""
        parameters = self.parameters
        hosts = (parameters.get("host") or parameters.get("hostaddr") or "").split(",")
        ports = [*parameters.get("port", "").split(","), *[""] * len(hosts)]
        places = [
            f"[{host}]" * (":" in host) + host * (":" not in host) + f":{port}" * bool(port)
            for host, port in zip(hosts, ports, strict=False)
        ]
        user = f"{parameters['user']}@" if "user" in parameters else ""
        service = f"?service={parameters['service']}" if "service" in parameters else ""
        return f"postgresql://{user}{','.join(places)}/{parameters.get('dbname', '')}{service}"

    def connection_arguments(self) -> dict[str, str]:
        """Return the driver's connection arguments: the user's parameters, and our defaults for the others."""
        given = dict(self.parameters)
        # With a service file our defaults are left out, because they would override what the file sets.
        if "service" not in given and "PGSERVICE" not in os.environ:
            given = _DEFAULTS | given
        if "connect_timeout" not in self.parameters and "PGCONNECT_TIMEOUT" in os.environ:
            given.pop("connect_timeout", None)
        return {"fallback_application_name": self.application} | given


@dataclass(slots=True)
class Preparation:
    """Prepares each connection of one engine."""

    database: Database
    is_pooling_checked: bool = field(default=False)

    def attach(self, engine: Engine) -> None:
        """Make the engine connect with the database's parameters, and prepare each of its connections."""
        event.listen(engine, "do_connect", self._connect)
        # This has to run before SQLAlchemy's own first queries, because their results depend on the encoding.
        event.listen(engine, "connect", self._prepare, insert=True)

    def _connect(self, _dialect: object, _record: object, _arguments: object, parameters: dict[str, Any]) -> None:
        """Pass libpq's parameters to the driver. SQLAlchemy's URL is empty because it cannot express all of them."""
        parameters.update(self.database.connection_arguments())

    def _prepare(self, connection: Any, _record: object) -> None:
        try:
            if self.database.schema is not None:
                self._require_recent(connection)
            process = self._pin(connection)
            # The server's process id differs from the one that the client received only if there is a pooler between.
            if process != connection.info.backend_pid and not self.is_pooling_checked:
                self._require_own_session(connection)
            self.is_pooling_checked = True
        except BaseException:
            connection.close()
            raise

    def _pin(self, connection: Any) -> int:
        """Set the session's settings. Returns the process id of the session. Raises UnsuitableDatabase."""
        if hasattr(connection, "set_client_encoding"):
            connection.set_client_encoding("UTF8")
        with connection.cursor() as cursor:
            if connection.info.parameter_status("client_encoding") != "UTF8":
                cursor.execute("SET client_encoding TO 'UTF8'")
            settings = self._settings(connection.info)
            set_all = ", ".join(["set_config(%s, %s, false)"] * len(settings))
            cursor.execute(
                f"SELECT pg_backend_pid(), current_setting('server_encoding'), {_LOOK_FOR_THE_CLIENT}, {set_all}",
                [part for setting in settings.items() for part in setting],
            )
            process, encoding = cursor.fetchone()[:2]
        connection.commit()
        if encoding != "UTF8":
            raise UnsuitableDatabase(
                f"The database {self.database} has the encoding {encoding}, which cannot hold what JW Platform sends; "
                "UTF8 is needed. The encoding of a database cannot be changed: make another with CREATE DATABASE … "
                f"ENCODING 'UTF8' TEMPLATE template0, and name that in {self.database.setting}."
            )
        return int(process)

    def _settings(self, info: Any) -> dict[str, str]:
        """Return the settings for a session, given the driver's information about its connection."""
        schema, seconds = self.database.schema, self.database.lock_seconds
        time_outs = _TIME_OUTS if seconds is None else _TIME_OUTS | {"lock_timeout": f"{seconds}s"}
        wanted = {
            name: value
            for name, value in time_outs.items()
            if name not in info.options and info.server_version >= 10_000 * _SINCE.get(name, 0)
        }
        return _PINNED | wanted | ({} if schema is None else {"search_path": f'"{schema}"'})

    def _require_recent(self, connection: Any) -> None:
        major, minor = divmod(connection.info.server_version, 10_000)
        if major < OLDEST_MAJOR:
            raise UnsuitableDatabase(
                f"The server of {self.database.setting} is PostgreSQL {major}.{minor}, and {OLDEST_MAJOR} or newer is "
                f"needed. Upgrade it, name another, or unset {self.database.setting} to use the embedded PostgreSQL."
            )

    def _require_own_session(self, connection: psycopg.Connection[Any]) -> None:
        """Raise UnsuitablePooler unless the connection keeps its session on the server between transactions.

        During the check, other connections of ours keep transactions open. A pooler that assigns a session to each
        transaction either gives our free session to one of them, or, if another client takes it first, sooner or later
        gives us a different session.
        """
        ours = _process(connection)
        connection.commit()
        with ExitStack() as open_ones:
            for _ in range(_OTHERS):
                other = open_ones.enter_context(closing(psycopg.connect(**self.database.connection_arguments())))  # type: ignore[arg-type]
                if _process(other) == ours or any(_moved(connection, ours) for _ in range(_LOOKS)):
                    raise UnsuitablePooler(
                        f"The database {self.database} is reached through a connection pooler that hands out a session "
                        "for each transaction (transaction mode); locks and settings of a session get lost there. Set "
                        f"{self.database.setting} to the server itself, or to a pooler in session mode."
                    )


def _moved(connection: psycopg.Connection[Any], process: int) -> bool:
    """Whether the connection's next transaction runs in a session other than that of `process`."""
    found = _process(connection)
    connection.commit()
    return found != process


def _process(connection: psycopg.Connection[Any]) -> int:
    # The statement is not prepared, because the next session might not have it.
    row = connection.execute("SELECT pg_backend_pid()", prepare=False).fetchone()
    return int(row[0]) if row else 0
