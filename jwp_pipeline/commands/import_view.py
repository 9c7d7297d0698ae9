"""Prints what an import of media-webapp's database does, or would do.

Put here what is shown of an import, as text or as a JSON document; import_webapp.py asks and runs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from jwp_pipeline.commands.terminal import Terminal, numbers, plain_table, with_columns
from jwp_pipeline.media_webapp.importing import ImportPlan
from jwp_pipeline.media_webapp.layout import NOT_READ
from jwp_pipeline.settings import Settings


def print_plan(plan: ImportPlan, settings: Settings, screen: Terminal) -> None:
    """Print what an import does with each table, what has no place, what is unusual, and what follows."""
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
    for line in NOT_READ:
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
    if settings.management_api == "v2":
        yield (
            "That is for v1. With v2, which is in use here, the next sync also writes each resource once more in v2's "
            "shape, and a playlist that lists no SMS ids gets the members that JW Platform has for it."
        )
    if plan.site is not None:
        yield (
            f"Before edits are pushed, set JWP_SITE_DOMAIN={plan.site.domain} and JWP_SITE_NAME={plan.site.name}: "
            "media-webapp has marked its videos with these."
        )


def print_end(plan: ImportPlan, screen: Terminal, *, dry_run: bool, imported: bool) -> None:
    """Print how an import ended, or all of it as a JSON document. docs/from-media-webapp.md describes that."""
    if imported:
        screen.say(f"Imported {plan.added:,} rows. `jwpfetch` now syncs the record with JW Platform.", "bold green")
    elif plan.is_empty:
        screen.say(
            "Nothing is left to import: the record has every row. Rows that were imported earlier stay as they are, "
            "even if media-webapp has changed them since.",
            "bold green",
        )
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
