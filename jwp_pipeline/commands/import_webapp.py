"""`jwp-pipeline import-media-webapp`: shows what an import of media-webapp's database would do, asks, and does it.

Put here arguments and the question. import_view.py prints, and media_webapp/ does the work.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from jwp_pipeline.errors import SettingsError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from jwp_pipeline.commands.terminal import Terminal
    from jwp_pipeline.database.leases import Lease
    from jwp_pipeline.media_webapp.importing import ImportPlan
    from jwp_pipeline.settings import Settings

VERB = "import-media-webapp"


def add_verb(verbs: Any, parents: Sequence[argparse.ArgumentParser]) -> None:
    """Add the verb to the parser of `jwp-pipeline`, with parsers of the options that it shares."""
    parser = verbs.add_parser(
        VERB,
        help="fill the record from a database of media-webapp, with the same ids",
        description="Fill the record from a database of media-webapp, with the same ids, times and permissions. The "
        "plan is shown first. The other database is only read.",
        parents=parents,
    )
    parser.add_argument(
        "--from",
        dest="source",
        metavar="URL",
        required=True,
        help="URL of media-webapp's database; give the password in PGPASSWORD or ~/.pgpass, because others on this "
        "machine may see arguments",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--dry-run", action="store_true", help="show the plan, and import nothing")
    how.add_argument("--yes", action="store_true", help="import without asking, for scripts")


def run(options: argparse.Namespace, settings: Settings, screen: Terminal) -> bool:
    """Do what the arguments say. Returns False if somebody said no. Raises PipelineError."""
    from jwp_pipeline.commands.import_view import print_end, print_plan
    from jwp_pipeline.media.options import MediaOptions
    from jwp_pipeline.media_webapp.importing import opened, tidy
    from jwp_pipeline.media_webapp.source import open_source

    if not (options.dry_run or options.yes or _can_ask(screen)):
        raise SettingsError(
            "There is no terminal to ask on. Give --dry-run to see the plan, and --yes to import without being asked."
        )
    media = MediaOptions.from_settings(settings)
    with open_source(options.source) as source, _record(settings, source) as engine:
        with _lease(engine, needed=not options.dry_run) as lease, opened(engine, source, media, lease=lease) as job:
            source.close()
            plan = job.plan()
            print_plan(plan, settings, screen)
            said_yes = not options.dry_run and not plan.is_empty and (options.yes or _ask(plan, screen))
            if said_yes:
                tidy(engine, job.carry_out(plan))
        print_end(plan, screen, dry_run=options.dry_run, imported=said_yes)
    return said_yes or options.dry_run or plan.is_empty


@contextmanager
def _record(settings: Settings, source: Any) -> Iterator[Engine]:
    """Yield an engine for our tables. They are made only once it is certain that they are not media-webapp's own."""
    from jwp_pipeline.database.connection import connect, open_engine
    from jwp_pipeline.database.locate import database_url
    from jwp_pipeline.database.migrate import migrate

    schema = settings.jwp_database_schema
    engine = open_engine(database_url(settings), schema)
    try:
        with connect(engine) as connection:
            source.require_other_than(connection, schema)
        migrate(engine, schema)
        engine.dispose()
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _lease(engine: Engine, *, needed: bool) -> Iterator[Lease | None]:
    from jwp_pipeline.database.leases import Lease

    if not needed:
        yield None
        return
    lease = Lease.begin(engine, f"{VERB}-{uuid4()}")
    try:
        yield lease
    finally:
        lease.end()


def _can_ask(screen: Terminal) -> bool:
    return sys.stdin.isatty() and screen.out.is_terminal and not screen.is_silent


def _ask(plan: ImportPlan, screen: Terminal) -> bool:
    answer = screen.out.input(f"Import {plan.added:,} rows? [y/N] ", markup=False)
    return answer.strip().lower() in ("y", "yes")
