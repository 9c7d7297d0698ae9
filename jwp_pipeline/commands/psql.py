"""Runs psql on the database of the settings, the embedded one included."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence

from jwp_pipeline.commands.terminal import Terminal
from jwp_pipeline.database.connection import read_database
from jwp_pipeline.database.embedded.binaries import find_binaries
from jwp_pipeline.database.locate import database_url
from jwp_pipeline.errors import EmbeddedPostgresError, PipelineError
from jwp_pipeline.settings import Settings


def run_psql(settings: Settings, arguments: Sequence[str], screen: Terminal) -> int:
    """Run psql with our schema on its search path until it ends, and return its exit code.

    An embedded server runs at least as long. Raises PipelineError if there is no psql, and DatabaseError.
    """
    database = read_database(database_url(settings), settings.jwp_database_schema)
    program = _psql()
    parameters = dict(database.parameters)
    password = parameters.pop("password", None)
    environment = os.environ | ({"PGPASSWORD": password} if password else {})
    schema = f'"{settings.jwp_database_schema}"'
    if settings.jwp_database_url is None:
        environment["PGOPTIONS"] = f"-c search_path={schema}"
    else:
        # Not as a start-up option, because poolers refuse those.
        screen.say(f"Our tables are in schema {schema}: SET search_path TO {schema};")
    # psql handles Ctrl-C itself, for example by cancelling a statement.
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        # No argument holds the password, because other users of the machine can see arguments.
        return subprocess.run(
            [program, "--dbname", _conninfo(parameters), *arguments], env=environment, check=False
        ).returncode
    finally:
        signal.signal(signal.SIGINT, handler)


def _psql() -> str:
    if on_path := shutil.which("psql"):
        return on_path
    try:
        program = find_binaries().folder / "psql"
    except EmbeddedPostgresError:
        program = None
    if program is None or not program.exists():
        raise PipelineError(
            "There is no psql on PATH, and none beside the embedded PostgreSQL. Install PostgreSQL's client, or use "
            "the URL that `jwpfetch --status` prints in another one."
        )
    return str(program)


def _conninfo(parameters: Mapping[str, str]) -> str:
    from psycopg.conninfo import make_conninfo

    return make_conninfo("", **parameters)
