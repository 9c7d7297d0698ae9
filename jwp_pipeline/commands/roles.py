"""`jwp-pipeline roles`: prints the SQL that separates the roles of the database, or runs it.

Put here arguments and what is printed; database/roles.py has the SQL.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jwp_pipeline.commands.terminal import Terminal
    from jwp_pipeline.settings import Settings


def add_verb(verbs: Any, parents: Sequence[argparse.ArgumentParser]) -> None:
    """Add the verb to the parser of `jwp-pipeline`."""
    about = "print the SQL for separate roles of the database: owner, pipeline, application and reader"
    roles = verbs.add_parser("roles", help=about, parents=parents)
    roles.add_argument("--apply", action="store_true", help="run as much of it as the user of JWP_DATABASE_URL may")
    roles.add_argument(
        "--owner", metavar="NAME", help="role that owns the tables (default: the schema's owner, else <schema>_owner)"
    )
    for name in ("pipeline", "application", "reader"):
        roles.add_argument(f"--{name}", metavar="NAME", help=f"default: <schema>_{name}")
    roles.add_argument("--may-resolve", action="store_true", help="let applications decide about edits in conflict")
    roles.add_argument("--may-upload", action="store_true", help="let applications ask for upload links")


def run(options: argparse.Namespace, settings: Settings, screen: Terminal) -> int:
    """Print the SQL, or run it and say what is left to do. Returns the exit code. Raises PipelineError."""
    from jwp_pipeline.database.connection import open_engine
    from jwp_pipeline.database.locate import database_url
    from jwp_pipeline.database.roles import Roles, apply_script, owner_of, read_script

    schema = settings.jwp_database_schema
    # The tables are not migrated here, because they would belong to whoever sets up the roles.
    engine = open_engine(database_url(settings), schema)
    try:
        roles = Roles(
            owner=options.owner or owner_of(engine, schema) or f"{schema}_owner",
            pipeline=options.pipeline or f"{schema}_pipeline",
            application=options.application or f"{schema}_application",
            reader=options.reader or f"{schema}_reader",
            may_resolve=options.may_resolve,
            may_upload=options.may_upload,
        )
        script = read_script(engine, roles, schema, with_dagster=settings.jwp_dagster_database_url is None)
        if not options.apply:
            screen.say(str(script))
            return 0
        makes, grants = apply_script(engine, script)
    finally:
        engine.dispose()
    if makes:
        screen.say(f"The roles {', '.join(roles.names)} can connect now. Give each a password, with psql's \\password.")
    if grants:
        screen.say(f"The roles have their rights in schema {schema}. Do this again after each upgrade.")
        return 0
    screen.warn(
        f"The rights are not granted yet: with {roles.owner} as the user of JWP_DATABASE_URL, run "
        "`jwp-pipeline migrate` and then `jwp-pipeline roles --apply`."
    )
    return 0 if makes else 1
