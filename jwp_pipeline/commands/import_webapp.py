"""`jwp-pipeline import-media-webapp`: shows what an import of media-webapp's database would do, asks, and does it.

Put here arguments, the question, and what is printed. media_webapp/ does the work.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from jwp_pipeline.commands.terminal import Terminal, numbers, plain_table, with_columns
from jwp_pipeline.errors import SettingsError

if TYPE_CHECKING:
    from sqlalchemy import Engine

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
            _print_plan(plan, settings, screen)
            said_yes = not options.dry_run and not plan.is_empty and (options.yes or _ask(plan, screen))
            if said_yes:
                tidy(engine, job.carry_out(plan))
        _print_end(plan, screen, dry_run=options.dry_run, imported=said_yes)
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


def _print_plan(plan: ImportPlan, settings: Settings, screen: Terminal) -> None:
    table = plain_table(f"import from {plan.source}")
    table.add_column("in media-webapp")
    table.add_column("in the record")
    with_columns(table, ("found", "to import", "there already", "left out"))
    for each in plan.tables:
        counts = numbers(each.found, each.added, each.there, each.left_out)
        table.add_row(each.source_table, each.table, *counts)
    screen.show(table)
    if plan.left_out:
        screen.say("\nNo place in the record (kept as JSON in table media_webapp_rows):", "bold")
        for left in plan.left_out:
            screen.say(f"  {left.count:,} rows: {left.reason} ({left.source_table})")
    screen.say("\nNot read:", "bold")
    for line in _not_read():
        screen.say(f"  {line}")
    if plan.oddities:
        screen.say("\nUnusual, and imported as it is:", "bold")
        for finding in plan.oddities:
            screen.say(f"  {finding.in_words}", "yellow")
    screen.say("\nAfter it:", "bold")
    for line in _afterwards(plan, settings):
        screen.say(f"  {line}")
    there = sum(each.there for each in plan.tables)
    out = sum(each.left_out for each in plan.tables)
    screen.say(
        f"\nPlan: {plan.added:,} rows to import, {there:,} there already, {out:,} left out; {plan.kept:,} kept as JSON."
    )


def _not_read() -> Sequence[str]:
    from jwp_pipeline.media_webapp.layout import NOT_READ

    return NOT_READ


def _afterwards(plan: ImportPlan, settings: Settings) -> Iterator[str]:
    written = plan.next_sync or {}
    if not written:
        yield "The next sync writes nothing to these tables, if JW Platform has not changed."
    else:
        tables = ", ".join(f"{rows:,} in {table}" for table, rows in written.items())
        yield f"Even if JW Platform has not changed, the next sync writes rows: {tables}."
        if settings.jwp_create_items == "all":
            yield (
                "JWP_CREATE_ITEMS is `all`: each video gets an item, and each channel a playlist. Set it to `sms` for "
                "media-webapp's own rule, which makes them only for what has an SMS id."
            )
    if plan.site is not None:
        yield (
            f"Before edits are pushed, set JWP_SITE_DOMAIN={plan.site.domain} and JWP_SITE_NAME={plan.site.name}: "
            "media-webapp has marked its videos with these."
        )


def _can_ask(screen: Terminal) -> bool:
    return sys.stdin.isatty() and screen.out.is_terminal and not screen.is_silent


def _ask(plan: ImportPlan, screen: Terminal) -> bool:
    answer = screen.out.input(f"Import {plan.added:,} rows? [y/N] ", markup=False)
    return answer.strip().lower() in ("y", "yes")


def _print_end(plan: ImportPlan, screen: Terminal, *, dry_run: bool, imported: bool) -> None:
    if imported:
        screen.say(f"Imported {plan.added:,} rows. `jwpfetch` now syncs the record with JW Platform.", "bold green")
    elif plan.is_empty:
        screen.say("Nothing is left to import: the record holds all of it.", "bold green")
    else:
        screen.say("Dry run: nothing was imported." if dry_run else "Nothing was imported.", "bold")
    screen.document(
        "import",
        {
            "dry_run": dry_run,
            "imported": imported,
            "source": plan.source,
            "site": None if plan.site is None else asdict(plan.site),
            "tables": [{**asdict(each), "there": each.there} for each in plan.tables],
            "left_out": [asdict(left) for left in plan.left_out],
            "kept": plan.kept,
            "oddities": [{**asdict(finding), "meaning": finding.in_words} for finding in plan.oddities],
            "next_sync": plan.next_sync,
        },
    )
