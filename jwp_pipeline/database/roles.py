"""Separates four roles of the database: the owner of the tables, the pipeline, applications, and readers.

The SQL has two parts. The first creates the roles, which takes somebody who may do that. The second grants rights on
the tables, which takes their owner, after every upgrade. Nobody has to be a superuser. docs/roles.md says what each
role is for. Put here what is asked of the server to set them up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from psycopg import sql
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from jwp_pipeline.database.connection import connect, in_words
from jwp_pipeline.database.locate import DAGSTER_SCHEMA
from jwp_pipeline.database.revision import newest_revision, stored_revision
from jwp_pipeline.database.sql import source, statement
from jwp_pipeline.database.translation import sqlstate, words
from jwp_pipeline.errors import DatabaseRefusal, SettingsError

_PACKAGE = "jwp_pipeline.database"
_WITHOUT_A_RIGHT = "42501"
# Names of roles stand in the middle of SQL. What is left out here would have to be escaped in more than one way.
_NAME = re.compile(r"[\w.@-]{1,63}")


@dataclass(frozen=True, slots=True)
class Roles:
    """The names of the four roles, and what applications may do besides reading and editing the record."""

    owner: str
    """Owns the schema and the tables, and migrates them. Nothing that runs all the time connects as this role."""
    pipeline: str
    application: str
    reader: str
    may_resolve: bool = False
    """Whether an application may decide about edits in conflict."""
    may_upload: bool = False
    """Whether an application may ask for upload links."""

    @property
    def names(self) -> tuple[str, str, str, str]:
        """The names in the order in which the roles are created."""
        return (self.owner, self.pipeline, self.application, self.reader)


@dataclass(frozen=True, slots=True)
class Script:
    """The SQL that sets up the roles."""

    making: str
    """Creates the roles and lets them connect. For a role that may create roles, and that owns the database."""
    granting: str
    """Grants the rights on the tables. For the owner of the tables."""
    owner: str
    asking: str
    """The role that is connected."""
    is_made: bool
    """Whether the first part has nothing left to do."""
    may_grant: bool
    """Whether the connected role may act as the owner."""
    has_tables: bool
    """Whether the tables exist, as this version makes them."""

    def __str__(self) -> str:
        """Return both parts as a script for psql."""
        return (
            "-- Part 1. Run this as a role that may create roles, and that owns the database. It sets no passwords:\n"
            "-- psql's \\password does, without showing them to anybody.\n"
            f"BEGIN;\n{self.making}COMMIT;\n\n"
            f"-- Part 2. Run this as {self.owner}, after `jwp-pipeline migrate`, and again after each upgrade.\n"
            f"BEGIN;\n{self.granting}COMMIT;"
        )


def read_script(engine: Engine, roles: Roles, schema: str, *, with_dagster: bool) -> Script:
    """Return the SQL for the roles, given what exists in the database already. Writes nothing.

    `with_dagster` says whether Dagster keeps its runs in the same database. Raises SettingsError if a name cannot be
    used or two roles have the same, DatabaseRefusal if the schema belongs to another role than `roles.owner`, and
    DatabaseError.
    """
    for name in roles.names:
        if not _NAME.fullmatch(name):
            raise SettingsError(
                f"{name!r} cannot be the name of a role here: use up to 63 letters, digits, and any of _ . @ -."
            )
    if len(set(roles.names)) < len(roles.names):
        raise SettingsError(
            f"The four roles need four names, and {', '.join(roles.names)} are fewer: what one role may do and another "
            "may not cannot be told apart. Give each a name of its own."
        )
    with connect(engine) as connection, connection.begin():
        return _script(connection, roles, schema, with_dagster=with_dagster)


def owner_of(engine: Engine, schema: str) -> str | None:
    """Return the role that owns a schema; None if there is no such schema. Raises DatabaseError."""
    with connect(engine) as connection, connection.begin():
        found: str | None = _standing(connection, Roles("", "", "", ""), schema).owner_of_schema
    return found


def apply_script(engine: Engine, script: Script) -> tuple[bool, bool]:
    """Run as much of the script as there is to do and the connected role can do, in one transaction.

    Returns whether the roles were created, and whether the rights were granted. Raises DatabaseRefusal if the server
    does not allow a part, and DatabaseError; nothing has been changed then.
    """
    makes, grants = not script.is_made, script.may_grant and script.has_tables
    with connect(engine) as connection, connection.begin():
        try:
            if makes:
                _run(connection, script.making)
            if grants:
                _run(connection, script.granting)
        except DBAPIError as error:
            if sqlstate(error) != _WITHOUT_A_RIGHT:
                raise
            raise DatabaseRefusal(
                f"The database {in_words(engine)} does not let {script.asking} set up the roles: {words(error)}. "
                "Nothing was changed. To create them takes a role that may create roles (CREATEROLE) and owns the "
                "database; to grant the rights takes the owner of the tables. `jwp-pipeline roles` prints the SQL of "
                "both."
            ) from None
    return makes, grants


def _script(connection: Connection, roles: Roles, schema: str, *, with_dagster: bool) -> Script:
    standing = _standing(connection, roles, schema)
    if standing.owner_of_schema not in (None, roles.owner):
        raise DatabaseRefusal(
            f"Schema {schema} belongs to {standing.owner_of_schema}, and not to {roles.owner}. Make that role the "
            f"owner (--owner {standing.owner_of_schema}), or give the schema and all in it to {roles.owner} first "
            "(ALTER SCHEMA … OWNER TO, ALTER TABLE … OWNER TO)."
        )
    missing = [name for name in roles.names if name not in standing.existing]
    return Script(
        making=_making(standing.database, roles, missing),
        granting=_granting(roles, schema, with_dagster=with_dagster),
        owner=roles.owner,
        asking=standing.asking,
        is_made=not missing and bool(standing.may_create),
        may_grant=standing.asking == roles.owner or bool(standing.is_owner),
        has_tables=stored_revision(connection) == newest_revision(),
    )


def _standing(connection: Connection, roles: Roles, schema: str) -> Any:
    about = {"roles": list(roles.names), "owner": roles.owner, "schema": schema}
    return connection.execute(statement(_PACKAGE, "standing_of_roles"), about).one()


def _run(connection: Connection, statements: str) -> None:
    # The driver reads a % as the place of a parameter.
    connection.exec_driver_sql(statements.replace("%", "%%"))


def _making(database: str, roles: Roles, missing: list[str]) -> str:
    quoted = _quoted(roles)
    here = _identifier(database)
    return "".join(
        [
            *(f"CREATE ROLE {_identifier(name)} LOGIN;\n" for name in missing),
            f"GRANT CONNECT, TEMPORARY, CREATE ON DATABASE {here} TO {quoted['owner']};\n",
            f"GRANT CONNECT, TEMPORARY ON DATABASE {here} TO {quoted['pipeline']};\n",
            f"GRANT CONNECT ON DATABASE {here} TO {quoted['application']}, {quoted['reader']};\n",
            f"REVOKE CREATE ON DATABASE {here}"
            f" FROM PUBLIC, {quoted['pipeline']}, {quoted['application']}, {quoted['reader']};\n",
        ]
    )


def _granting(roles: Roles, schema: str, *, with_dagster: bool) -> str:
    names = _quoted(roles) | {
        "schema": _identifier(schema),
        "dagster": _identifier(DAGSTER_SCHEMA),
        "dagster_text": f"'{DAGSTER_SCHEMA}'",
        "pipeline_text": sql.Literal(roles.pipeline).as_string(),
    }
    files = [
        "grant_to_roles",
        *["grant_resolve"] * roles.may_resolve,
        *["grant_upload"] * roles.may_upload,
        *["grant_dagster"] * with_dagster,
    ]
    head = f"SET LOCAL ROLE {names['owner']};\nSET LOCAL search_path TO {names['schema']};\n"
    return head + "\n".join(source(_PACKAGE, name).format(**names) for name in files)


def _quoted(roles: Roles) -> dict[str, str]:
    return {name: _identifier(getattr(roles, name)) for name in ("owner", "pipeline", "application", "reader")}


def _identifier(name: str) -> str:
    return sql.Identifier(name).as_string()
