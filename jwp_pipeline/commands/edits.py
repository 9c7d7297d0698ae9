"""Prints edits on their way to JW Platform, and decides about those that are stuck, for people at a terminal."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from rich.console import Console
from sqlalchemy import Engine, text

from jwp_pipeline.commands.console import plain_table
from jwp_pipeline.database.connection import connect
from jwp_pipeline.outbox.report import PushReport, read_outbox, stuck_edits
from jwp_pipeline.outbox.resolve import resolve
from jwp_pipeline.outbox.review import why_not_pushed
from jwp_pipeline.settings import Settings

if TYPE_CHECKING:
    from jwp_pipeline.commands.launch import SyncOutcome

_MOST_SHOWN = 200
_WORDS = {"unchanged": "there already", "theirs": "theirs kept"}


def print_push(outcome: SyncOutcome, console: Console) -> None:
    """Print what a push did with each field, what is left, and why it stopped if it failed."""
    for report in outcome.reports:
        if isinstance(report, PushReport):
            _print_report(report, console)
    if outcome.failure:
        console.print(outcome.failure, style="bold red", highlight=False, soft_wrap=True)
    word = "done" if outcome.success else "FAILED"
    console.print(f"Push {word} in {outcome.seconds:.1f} s; run {outcome.run_id.split('-')[0]}", highlight=False)


def _print_report(report: PushReport, console: Console) -> None:
    if report.changes:
        table = plain_table("would be pushed" if report.dry_run else "pushed to JW Platform")
        for name in ("result", "item", "video", "field", "here", "at JW Platform before"):
            table.add_column(name, overflow="ellipsis", no_wrap=True)
        for change in report.changes[:_MOST_SHOWN]:
            result = _WORDS.get(change.result, change.result)
            table.add_row(result, change.item_id, change.key or "", change.field, change.ours, change.theirs)
        console.print(table)
        if len(report.changes) > _MOST_SHOWN:
            console.print(f"… and {len(report.changes) - _MOST_SHOWN} more.")
    for problem in dict.fromkeys(change.problem for change in report.changes if change.problem):
        console.print(problem, style="yellow", highlight=False, soft_wrap=True)
    after = report.after
    if report.stopped:
        console.print(f"Nothing more was pushed: {report.stopped}.", style="yellow", highlight=False, soft_wrap=True)
    elif not report.changes:
        console.print("Nothing was due.")
    console.print(f"{after.in_words}.", highlight=False)
    if report.dry_run:
        console.print("Dry run: nothing was pushed.", style="bold")


def print_edits(engine: Engine, settings: Settings, console: Console) -> bool:
    """Print what waits, and what is in conflict or refused. Returns whether nothing is stuck or held up."""
    with connect(engine) as connection:
        outbox = read_outbox(connection)
        held_up = why_not_pushed(connection, settings) if outbox.waiting else None
        stuck = {state: stuck_edits(connection, state, _MOST_SHOWN) for state in ("conflict", "refused")}
    for state, edits in stuck.items():
        if not edits:
            continue
        table = plain_table("in conflict: changed here and at JW Platform" if state == "conflict" else "refused")
        for name in ("item", "field", "here", "at JW Platform", "problem"):
            table.add_column(name, overflow="fold")
        for edit in edits:
            table.add_row(edit.item_id, edit.field, edit.ours, edit.theirs, edit.problem)
        console.print(table)
        console.print("Decide with `jwp-pipeline resolve ITEM FIELD ours|theirs`.", highlight=False)
    since = f", the first for {timedelta(seconds=round(outbox.oldest_seconds))}" if outbox.oldest_seconds else ""
    console.print(f"{outbox.waiting} items wait{since}.", highlight=False)
    if held_up:
        console.print(held_up, style="yellow", highlight=False, soft_wrap=True)
    return not any(stuck.values()) and held_up is None


def decide(engine: Engine, item: str, field: str, side: Literal["ours", "theirs"]) -> str:
    """Decide about a field of an item, which is given by its id or the key of its video. Returns what will happen.

    Raises NothingToResolve.
    """
    with connect(engine) as connection, connection.begin():
        # An id has 11 characters and a key 8, so one is never taken for the other.
        by_key = connection.scalar(text("SELECT media_item_id FROM videos WHERE key = :item"), {"item": item})
        item_id = by_key or item
        resolve(connection, item_id, field, side)
    if side == "ours":
        return f"The value of {field} here is pushed to JW Platform by the next push: `jwpfetch --push`."
    return f"Item {item_id} has JW Platform's value of {field} now. The next sync follows the video again."
