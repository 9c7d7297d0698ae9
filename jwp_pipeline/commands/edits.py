"""Prints edits on their way to JW Platform, and decides about those that are stuck, for people at a terminal."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from sqlalchemy import Engine, text

from jwp_pipeline.commands.terminal import Terminal, on_one_line, plain_table
from jwp_pipeline.database.connection import connect
from jwp_pipeline.outbox.report import PushReport, read_outbox, stuck_edits
from jwp_pipeline.outbox.resolve import resolve
from jwp_pipeline.outbox.review import why_not_pushed
from jwp_pipeline.settings import Settings

if TYPE_CHECKING:
    from jwp_pipeline.commands.launch import SyncOutcome

_MOST_SHOWN = 200
_WORDS = {"unchanged": "there already", "theirs": "theirs kept"}


def print_push(outcome: SyncOutcome, terminal: Terminal, *, exit_code: int) -> None:
    """Print what a push did with each field, what is left, and why it stopped if it failed."""
    reports = [report for report in outcome.reports if isinstance(report, PushReport)]
    for report in reports:
        _print_report(report, terminal)
    if outcome.failure:
        terminal.fail(outcome.failure)
    kind = "Dry run of a push" if outcome.dry_run else "Push"
    word = "done" if outcome.success else "FAILED"
    terminal.say(f"{kind} {word} in {outcome.seconds:.1f} s; run {outcome.run_id.split('-')[0]}")
    document = {
        "run_id": outcome.run_id,
        "exit_code": exit_code,
        "success": outcome.success,
        "dry_run": outcome.dry_run,
        "seconds": round(outcome.seconds, 3),
        "failure": outcome.failure,
        "pushes": [
            {
                "changes": [asdict(change) for change in report.changes],
                "edits": asdict(report.after),
                "stopped": report.stopped,
            }
            for report in reports
        ],
    }
    terminal.document("push", document)


def _print_report(report: PushReport, terminal: Terminal) -> None:
    if report.changes:
        table = plain_table("would be pushed" if report.dry_run else "pushed to JW Platform")
        # What may be long is folded and not cut, so that nothing hides behind it.
        for name in ("result", "item", "video", "field", "here", "at JW Platform before"):
            table.add_column(name, overflow="fold", no_wrap=name in ("result", "item", "video", "field"))
        for change in report.changes[:_MOST_SHOWN]:
            result = _WORDS.get(change.result, change.result)
            values = (on_one_line(change.ours), on_one_line(change.theirs))
            table.add_row(result, change.item_id, change.key or "", change.field, *values)
        terminal.show(table)
        if len(report.changes) > _MOST_SHOWN:
            terminal.say(f"… and {len(report.changes) - _MOST_SHOWN} more.")
    for problem in dict.fromkeys(change.problem for change in report.changes if change.problem):
        terminal.say(problem, "yellow")
    after = report.after
    if report.stopped:
        terminal.say(f"Nothing more was pushed: {report.stopped}.", "yellow")
    elif not report.changes:
        terminal.say("Nothing was due.")
    terminal.say(f"{after.in_words}.")
    if report.dry_run:
        terminal.say("Dry run: nothing was pushed.", "bold")


def print_edits(engine: Engine, settings: Settings, terminal: Terminal) -> bool:
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
            table.add_row(edit.item_id, edit.field, *map(on_one_line, (edit.ours, edit.theirs, edit.problem)))
        terminal.show(table)
        terminal.say("Decide with `jwp-pipeline resolve ITEM FIELD ours|theirs`.")
    since = f", the first for {timedelta(seconds=round(outbox.oldest_seconds))}" if outbox.oldest_seconds else ""
    items = "1 item waits" if outbox.waiting == 1 else f"{outbox.waiting:,} items wait"
    terminal.say(f"{items}{since}.{' `jwpfetch --push --dry-run` shows them.' if outbox.waiting else ''}")
    if held_up:
        terminal.say(held_up, "yellow")
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
