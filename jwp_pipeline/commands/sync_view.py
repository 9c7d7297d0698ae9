"""Prints what a person at a terminal sees of a sync: its progress, the plan, a summary, and what it meant.

Put here what is printed about a sync, as text or as a JSON document; status_view.py prints the status.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from jwp_pipeline.commands.plan_view import print_plan
from jwp_pipeline.commands.terminal import Terminal, numbers, plain_table, printable, with_columns
from jwp_pipeline.jwplatform.management import RESOURCE_TYPES, WaitNotice, WaitObserver
from jwp_pipeline.media.preview import Effect
from jwp_pipeline.media.report import MediaReport
from jwp_pipeline.mirror.apply import Applied
from jwp_pipeline.mirror.differences import ABSENT
from jwp_pipeline.mirror.landing import Listing, Observer
from jwp_pipeline.mirror.landing import Progress as ReadProgress
from jwp_pipeline.mirror.plan import PlannedChange
from jwp_pipeline.runbook import with_runbook_link

if TYPE_CHECKING:
    # Launching a run imports Dagster, which takes longer than printing.
    from jwp_pipeline.commands.launch import SyncOutcome

_Report = TypeVar("_Report")

# Plain lines are for logs, where one every few seconds is enough.
_SECONDS_BETWEEN_LINES = 5.0

# Seconds of waiting from which they are worth telling.
_WORTH_TELLING = 0.5

_COUNTS = ("seen", "added", "changed", "restored", "deleted", "unconfirmed", "unchanged", "problems")


@contextmanager
def watching(terminal: Terminal) -> Iterator[tuple[Observer, WaitObserver]]:
    """Yield observers that show the progress of a read, as bars on a terminal and as plain lines otherwise.

    A silent command shows bars if standard error is a terminal, and else nothing.
    """
    console = terminal.err if terminal.as_json else terminal.out
    if terminal.detail == "quiet" or (terminal.as_json and not console.is_terminal):
        yield (lambda progress: None), (lambda notice: None)
        return
    if not console.is_terminal:
        yield _plain_lines(console, every_page=terminal.detail == "verbose")
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        tasks: dict[tuple[str, int], TaskID] = {}

        def observe(progress: ReadProgress) -> None:
            read = (progress.resource_type, progress.attempt)
            again = "" if progress.attempt == 1 else f" (read {progress.attempt})"
            if read not in tasks:
                tasks[read] = bars.add_task(f"{progress.resource_type}s{again}")
            bars.update(tasks[read], completed=progress.resources, total=progress.expected)

        def on_wait(notice: WaitNotice) -> None:
            bars.console.print(printable(_waiting(notice)), style="dim")

        yield observe, on_wait


def _plain_lines(console: Console, *, every_page: bool) -> tuple[Observer, WaitObserver]:
    printed = {"at": time.monotonic()}

    def observe(progress: ReadProgress) -> None:
        done = progress.resources >= progress.expected
        if done or every_page or time.monotonic() - printed["at"] >= _SECONDS_BETWEEN_LINES:
            printed["at"] = time.monotonic()
            left = "" if done or progress.seconds_left is None else f", about {progress.seconds_left:.0f} s left"
            pages = "1 page" if progress.pages == 1 else f"{progress.pages} pages"
            done_so_far = f"{progress.resources} of {progress.expected} in {pages}"
            console.print(f"{progress.resource_type}s: {done_so_far}{left}", highlight=False)

    def on_wait(notice: WaitNotice) -> None:
        console.print(printable(_waiting(notice)), highlight=False, soft_wrap=True)

    return observe, on_wait


def _waiting(notice: WaitNotice) -> str:
    left = notice.seconds_left
    giving_up = (
        ""
        if left is None
        else f" (giving up in {left / 60:.0f} min)"
        if left >= 90
        else f" (giving up in {left:.0f} s)"
    )
    return f"waiting {notice.seconds:.0f} s before asking {notice.host}{giving_up}: {notice.reason}"


def print_sync(outcome: SyncOutcome, terminal: Terminal, *, where: str, whole_plan: bool, exit_code: int) -> None:
    """Print the plan, what was done, where to look further, and in the last line what it means."""
    listings, applied, media = _of(outcome, Listing), _of(outcome, Applied), _of(outcome, MediaReport)
    for report in applied:
        print_plan(report, terminal, whole=whole_plan)
    if listings:
        terminal.show(_listings(listings))
    if applied:
        terminal.show(_applied(applied))
    for media_report in media:
        terminal.show(_media(media_report))
    for listing in listings:
        if not listing.verified:
            what = f"The listing of {listing.resource_type}s is incomplete, so nothing is deleted because of it"
            terminal.warn(with_runbook_link(f"{what}: {listing.problem}.", "incomplete-listing"))
    for report in applied:
        if report.dry_run and report.verdict.refusal:
            terminal.warn(f"The guard would refuse the {report.resource_type}s: {report.verdict.refusal}.")
        if report.dry_run and report.verdict.withheld:
            kind = f"{report.resource_type}s"
            terminal.warn(f"The guard would withhold the deletions of {kind}: {report.verdict.withheld}.")
        # A dry run has changed nothing, so what its plan leaves counts, and not what is missing now.
        missing = report.plan.unconfirmed if report.dry_run and report.plan else report.missing
        if missing and report.verdict.may_delete:
            terminal.say(_unconfirmed(report, missing), "yellow")
    if outcome.failure:
        terminal.fail(outcome.failure)
    kind = "Dry run" if outcome.dry_run else "Sync"
    waiting = outcome.seconds_waiting
    waited = f", {waiting:.1f} s of them waiting to ask JW Platform" if waiting >= _WORTH_TELLING else ""
    word = "done" if outcome.success else "FAILED"
    terminal.say(
        f"{kind} {word} in {outcome.seconds:.1f} s{waited}; run {outcome.run_id.split('-')[0]}, {where}",
    )
    terminal.say(meaning(outcome), "bold")
    terminal.document("sync", sync_document(outcome, exit_code))


def meaning(outcome: SyncOutcome) -> str:
    """Return in one sentence what a sync, or a dry run, means for the record."""
    listings, applied = _of(outcome, Listing), _of(outcome, Applied)
    plans = [report.plan for report in applied if report.plan]
    if outcome.snapshot_to_release is not None:
        return "Not in step with JW Platform: the guard waits for your decision."
    if not outcome.success:
        return "Not in step with JW Platform: the sync failed. What is stored stays; the next run goes on from there."
    if outcome.dry_run:
        if not any(plan.changes for plan in plans):
            return "Nothing would change."
        return f"Nothing was changed. Without --dry-run, {_would_be_done(applied)}."
    if any(not listing.verified for listing in listings):
        return "The listing was incomplete: what it has was applied, and nothing was deleted because of it."
    if any(report.missing for report in applied):
        return "In step with JW Platform, except for what is missing from its listing and not confirmed to be gone."
    if not listings:
        return "Everything that was read before is applied. JW Platform was not asked for its listings."
    read = {listing.resource_type for listing in listings}
    skipped = [kind for kind in RESOURCE_TYPES if kind not in read]
    if skipped:
        return f"The {_kinds(read)} are in step with JW Platform, which was not asked for its {_kinds(skipped)}."
    moved = sum(counts.written for report in _of(outcome, MediaReport) for counts in report.counts.values())
    if moved or any(plan.rows for plan in plans):
        return "In step with JW Platform: what it changed has arrived in the record."
    return "In step with JW Platform: nothing had changed."


def _would_be_done(applied: Sequence[Applied]) -> str:
    """Say what a sync would do with the plans of a dry run, after the guard's verdict on each."""
    refused = [report.resource_type for report in applied if report.verdict.refusal]
    withheld = [report.resource_type for report in applied if report.verdict.withheld]
    said = []
    if refused:
        said.append(f"the guard refuses the listing of {_kinds(refused)} and waits for your decision")
    if withheld:
        said.append(f"the guard withholds the deletions of {_kinds(withheld)} until you decide")
    if not said:
        return "the plan is carried out, and the record follows"
    if withheld or len(refused) < len(applied):
        said.append("everything else is carried out")
    return "; ".join(said)


def _kinds(types: Iterable[str]) -> str:
    return " and ".join(f"{kind}s" for kind in types)


def sync_document(outcome: SyncOutcome, exit_code: int) -> dict[str, Any]:
    """Return the outcome of a sync as the content of a JSON document. docs/command-line.md describes it."""
    return {
        "run_id": outcome.run_id,
        "exit_code": exit_code,
        "success": outcome.success,
        "dry_run": outcome.dry_run,
        "seconds": round(outcome.seconds, 3),
        "seconds_waiting": round(outcome.seconds_waiting, 3),
        "meaning": meaning(outcome),
        "failure": outcome.failure,
        "snapshot_to_release": outcome.snapshot_to_release,
        "listings": [asdict(listing) for listing in _of(outcome, Listing)],
        "applied": [_applied_document(report) for report in _of(outcome, Applied)],
        "media": [
            {
                "tables": {
                    name: {**asdict(counts), "unchanged": counts.unchanged} for name, counts in report.counts.items()
                },
                "became_public": report.became_public.count,
                "open_problems": report.open_problems,
                "seconds": round(report.seconds, 3),
            }
            for report in _of(outcome, MediaReport)
        ],
    }


def _applied_document(report: Applied) -> dict[str, Any]:
    plan = report.plan
    return {
        "resource_type": report.resource_type,
        "live": report.live,
        "missing": report.missing,
        "open_problems": report.open_problems,
        "refusal": report.verdict.refusal,
        "withheld": report.verdict.withheld,
        "seconds": round(report.seconds, 3),
        "plan": plan
        and {
            "snapshot_id": plan.snapshot_id,
            **{name: getattr(plan, name) for name in (*_COUNTS, "refreshed", "missing")},
            "changes": [_change_document(change, (report.effects or {}).get(change.key)) for change in plan.head],
            "changes_left_out": plan.changes - len(plan.head),
        },
    }


def _change_document(change: PlannedChange, effect: Effect | None) -> dict[str, Any]:
    """An old or new value that does not exist has no name in the document, while null is null."""
    return {
        "change": change.change,
        "key": change.key,
        "title": change.title,
        "differences": [
            {
                "path": difference.path,
                **{
                    name: value
                    for name, value in (("old", difference.old), ("new", difference.new))
                    if value is not ABSENT
                },
            }
            for difference in change.differences
        ],
        "media_item": effect and {"id": effect.item_id, "what": effect.what, "access": effect.access},
    }


def _listings(listings: Sequence[Listing]) -> Table:
    table = plain_table("read from JW Platform")
    with_columns(table, ("", "snapshot", "status", "resources", "pages", "requests", "retries", "seconds"))
    for listing in listings:
        table.add_row(
            f"{listing.resource_type}s",
            str(listing.snapshot_id),
            listing.status,
            *numbers(listing.resource_count, listing.page_count, listing.request_count, listing.retry_count),
            f"{listing.seconds:.2f}",
        )
    return table


def _applied(applied: Sequence[Applied]) -> Table:
    table = plain_table("cached_resources")
    with_columns(table, ("", *_COUNTS, "live now", "seconds"))
    for report in applied:
        counts = numbers(*(getattr(report.plan, name) for name in _COUNTS)) if report.plan else ["-"] * len(_COUNTS)
        not_done = " (dry run)" if report.dry_run else " (refused)" if report.refused else ""
        table.add_row(f"{report.resource_type}s{not_done}", *counts, *numbers(report.live), f"{report.seconds:.2f}")
    return table


def _unconfirmed(report: Applied, missing: int) -> str:
    stopped = f" {report.plan.asking_stopped}." if report.plan and report.plan.asking_stopped else ""
    return (
        f"{missing:,} live {report.resource_type}s are missing from JW Platform's listing, and it has not "
        f"confirmed that they are gone, so they stay live.{stopped}"
    )


def _media(report: MediaReport) -> Table:
    table = plain_table(f"the platform's own record, in {report.seconds:.2f} s")
    names = ("created", "updated", "restored", "deleted", "unchanged")
    with_columns(table, ("", *names, "live now"))
    for asset, counts in report.counts.items():
        table.add_row(asset, *numbers(*(getattr(counts, name) for name in names), counts.live))
    if report.open_problems:
        fields = ", ".join(f"{field} {count}" for field, count in report.open_problems.items())
        table.caption = f"{sum(report.open_problems.values())} open problems (table sync_problems): {fields}"
        table.caption_justify = "left"
    return table


def _of(outcome: SyncOutcome, kind: type[_Report]) -> list[_Report]:
    return [report for report in outcome.reports if isinstance(report, kind)]
