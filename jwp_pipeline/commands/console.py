"""Prints what a person at a terminal sees of a sync: progress bars or plain lines, the plan, and a summary.

Put here what is printed about syncs and their status.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from jwp_pipeline.database.status import TypeStatus
from jwp_pipeline.jwplatform.management import WaitNotice, WaitObserver
from jwp_pipeline.media.report import MediaReport
from jwp_pipeline.mirror.apply import Applied
from jwp_pipeline.mirror.landing import Listing, Observer
from jwp_pipeline.mirror.landing import Progress as ReadProgress
from jwp_pipeline.mirror.plan import Plan

if TYPE_CHECKING:
    # Launching a run imports Dagster, which takes longer than printing a status.
    from jwp_pipeline.commands.launch import SyncOutcome

# Plain lines are for logs, where one every few seconds is enough.
_SECONDS_BETWEEN_LINES = 5.0

_COUNTS = ("seen", "added", "changed", "restored", "deleted", "unconfirmed", "unchanged", "problems")


@contextmanager
def watching(console: Console) -> Iterator[tuple[Observer, WaitObserver]]:
    """Yield observers that show the progress of a read, as bars on a terminal and as plain lines otherwise."""
    if not console.is_terminal:
        yield _plain_lines(console)
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
            bars.console.print(_waiting(notice), style="dim")

        yield observe, on_wait


def _plain_lines(console: Console) -> tuple[Observer, WaitObserver]:
    printed = {"at": time.monotonic()}

    def observe(progress: ReadProgress) -> None:
        done = progress.resources >= progress.expected
        if done or time.monotonic() - printed["at"] >= _SECONDS_BETWEEN_LINES:
            printed["at"] = time.monotonic()
            left = "" if done or progress.seconds_left is None else f", about {progress.seconds_left:.0f} s left"
            done_so_far = f"{progress.resources} of {progress.expected} in {progress.pages} pages"
            console.print(f"{progress.resource_type}s: {done_so_far}{left}")

    def on_wait(notice: WaitNotice) -> None:
        console.print(_waiting(notice))

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


def print_outcome(outcome: SyncOutcome, console: Console, *, where: str) -> None:
    """Print the plan, what was done, and where to look further."""
    listings = [report for report in outcome.reports if isinstance(report, Listing)]
    applied = [report for report in outcome.reports if isinstance(report, Applied)]
    media = [report for report in outcome.reports if isinstance(report, MediaReport)]
    for plan in (report.plan for report in applied if report.plan and report.plan.head):
        console.print(_head(plan))
    if listings:
        console.print(_listings(listings))
    if applied:
        console.print(_applied(applied))
    for media_report in media:
        console.print(_media(media_report))
    for report in applied:
        if report.dry_run and report.verdict.refusal:
            refusal = f"The guard would refuse the {report.resource_type}s: {report.verdict.refusal}."
            console.print(refusal, style="bold red")
        if report.dry_run and report.verdict.withheld:
            withheld = f"The guard would withhold the deletions of {report.resource_type}s: {report.verdict.withheld}."
            console.print(withheld, style="bold red")
        if report.missing and report.verdict.may_delete:
            console.print(_unconfirmed(report), style="yellow", highlight=False, soft_wrap=True)
        if report.dry_run and report.plan:
            console.print("Dry run: nothing was changed.", style="bold")
    if outcome.failure:
        console.print(outcome.failure, style="bold red", highlight=False, soft_wrap=True)
    pipeline = sum(report.seconds for reports in (listings, applied, media) for report in reports)
    word = "done" if outcome.success else "FAILED"
    console.print(
        f"Sync {word} in {outcome.seconds:.1f} s, {outcome.seconds - pipeline:.1f} s of them Dagster's; "
        f"run {outcome.run_id.split('-')[0]}, {where}",
        highlight=False,
        soft_wrap=True,
    )


def print_status(statuses: Sequence[TypeStatus], console: Console, max_age: timedelta) -> None:
    """Print whether each type is in step, since when, and what to do next."""
    table = plain_table("in step with JW Platform?")
    counted = ("listed", "live", "in the platform", "unconfirmed", "behind", "problems")
    # A full listing also shows deletions; a sync of changes brings everything else.
    _columns(table, ("", "full listing of (UTC)", "lag", "changes up to (UTC)", *counted))
    for status in statuses:
        since, changes = (
            f"{moment:%Y-%m-%d %H:%M:%S}" if moment else "never"
            for moment in (status.in_step_as_of, status.changes_seen_until)
        )
        lag = str(status.lag).split(".")[0] if status.lag else "-"
        counts = (
            status.live,
            status.live_in_platform,
            status.unconfirmed + status.withheld,
            status.behind,
            status.open_problems,
        )
        table.add_row(f"{status.resource_type}s", since, lag, changes, str(status.listed or "-"), *_numbers(*counts))
    console.print(table)
    for trouble in filter(None, (status.trouble(max_age) for status in statuses)):
        console.print(f"Not in step: {trouble}.", style="bold red", highlight=False, soft_wrap=True)


def _head(plan: Plan) -> Table:
    table = plain_table(f"{plan.resource_type}s: first {len(plan.head)} of {plan.rows - plan.refreshed} changes")
    for name in ("change", "key", "title", "fields"):
        table.add_column(name, overflow="ellipsis", no_wrap=True)
    for row in plan.head:
        table.add_row(row.change, row.key, row.title, ", ".join(row.fields))
    return table


def _listings(listings: Sequence[Listing]) -> Table:
    table = plain_table("read from JW Platform")
    _columns(table, ("", "snapshot", "status", "resources", "pages", "requests", "retries", "seconds"))
    for listing in listings:
        table.add_row(
            f"{listing.resource_type}s",
            str(listing.snapshot_id),
            listing.status,
            *_numbers(listing.resource_count, listing.page_count, listing.request_count, listing.retry_count),
            f"{listing.seconds:.2f}",
        )
    return table


def _applied(applied: Sequence[Applied]) -> Table:
    table = plain_table("cached_resources")
    _columns(table, ("", *_COUNTS, "live now", "seconds"))
    for report in applied:
        counts = _numbers(*(getattr(report.plan, name) for name in _COUNTS)) if report.plan else ["-"] * len(_COUNTS)
        not_done = " (dry run)" if report.dry_run else " (refused)" if report.refused else ""
        table.add_row(f"{report.resource_type}s{not_done}", *counts, *_numbers(report.live), f"{report.seconds:.2f}")
    return table


def _unconfirmed(report: Applied) -> str:
    stopped = f" {report.plan.asking_stopped}." if report.plan and report.plan.asking_stopped else ""
    return (
        f"{report.missing:,} live {report.resource_type}s are missing from JW Platform's listing, and it has not "
        f"confirmed that they are gone, so they stay live.{stopped}"
    )


def _media(report: MediaReport) -> Table:
    table = plain_table(f"the platform's own record, in {report.seconds:.2f} s")
    names = ("created", "updated", "restored", "deleted", "unchanged")
    _columns(table, ("", *names, "live now"))
    for asset, counts in report.counts.items():
        table.add_row(asset, *_numbers(*(getattr(counts, name) for name in names), counts.live))
    if report.open_problems:
        fields = ", ".join(f"{field} {count}" for field, count in report.open_problems.items())
        table.caption = f"{sum(report.open_problems.values())} open problems (table sync_problems): {fields}"
        table.caption_justify = "left"
    return table


def plain_table(title: str) -> Table:
    """Return an empty table without lines, with its title on the left."""
    return Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)


def _columns(table: Table, names: Sequence[str]) -> None:
    for name in names:
        table.add_column(name, justify="left" if name in ("", "status") else "right")


def _numbers(*values: Any) -> list[str]:
    return [f"{value:,}" for value in values]


def terminal() -> Console:
    """Return a console on standard output, without markup and, if that is no terminal, wide enough for our tables."""
    return Console(width=None if sys.stdout.isatty() else 140, markup=False, emoji=False)
