"""Writes the status page: as pieces of Markdown, which Dagster's UI shows unfolded, and as one HTML file.

The functions are pure. Put here what the page says, and how.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from jwp_pipeline.database.status import TypeStatus
from jwp_pipeline.history.small_pictures import MOST_CHARACTERS, bars, image, line
from jwp_pipeline.status.read import Day, Status

_HEAD = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
  body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }}
  table {{ border-collapse: collapse; }} td, th {{ padding: .2rem .8rem; text-align: right; }}
  td:first-child, th:first-child {{ text-align: left; padding-left: 0; }}
  tr + tr {{ border-top: 1px solid #ddd; }} .well {{ color: #0a6b2d; }} .trouble {{ color: #a4161a; }}
  code {{ background: #f3f3f3; padding: 0 .2rem; }}
</style>
"""


@dataclass(frozen=True, slots=True)
class RunLine:
    """One of the last runs. `seconds` is None while it runs."""

    job: str
    status: str
    started: datetime | None
    seconds: float | None


Table = Sequence[Sequence[str]]
"""Rows of cells; the first row is the head."""


def pieces(status: Status, runs: Sequence[RunLine]) -> Mapping[str, str]:
    """Return the page as pieces of Markdown by name, in order, each short enough to be shown unfolded."""
    found = {
        "in_step": f"**{headline(status)}**" if not status.troubles else f"**{headline(status)}** {_steps(status)}",
        "what_to_do_next": next_step(status),
        "counts": _markdown(counts(status.types)),
        "waiting": waiting(status),
        "last_30_days": _pictures(status.days),
        "last_runs": _markdown(_runs(runs)) if runs else "There has been no run.",
    }
    return {
        name: text if len(text) <= MOST_CHARACTERS else f"{text[: MOST_CHARACTERS - 1]}…"
        for name, text in found.items()
    }


def as_html(status: Status, runs: Sequence[RunLine]) -> str:
    """Return the page as an HTML file that needs nothing else."""
    title = headline(status)
    kind = "trouble" if status.troubles else "well"
    days = "".join(f"<p>{text}<br><img alt='{name}' src=\"{url}\"></p>" for name, text, url in _days(status.days))
    steps = "".join(f"<p>{html.escape(trouble)}.</p>" for trouble in status.troubles)
    return "\n".join(
        [
            _HEAD.format(title=html.escape(title)),
            f'<h1 class="{kind}">{html.escape(title)}</h1>',
            steps,
            f"<p>{_html_code(next_step(status))}</p>",
            _html_table(counts(status.types)),
            f"<p>{_html_code(waiting(status))}</p>",
            f"<h2>Videos, the last {len(status.days)} days</h2>{days}" if days else "",
            f"<h2>Last runs</h2>{_html_table(_runs(runs))}" if runs else "",
            f"<p>Site {html.escape(status.site or 'not configured')}, {html.escape(status.database)}, schema "
            f"{html.escape(status.schema)}. Read {_moment(status.at)}.</p>",
            "</html>",
        ]
    )


def headline(status: Status) -> str:
    """Return in one sentence whether the record is in step, and since when."""
    full = [each.in_step_as_of for each in status.types if each.in_step_as_of]
    changes = [each.changes_seen_until for each in status.types if each.changes_seen_until]
    if status.troubles or not full or not changes:
        return "Not in step with JW Platform."
    if min(full) == min(changes):
        return f"In step with JW Platform as of {_moment(min(full))}."
    return (
        f"In step with JW Platform as of {_moment(min(changes))}; what it deleted is known as of {_moment(min(full))}."
    )


def counts(types: Sequence[TypeStatus]) -> Table:
    """Return what there is on both sides, and when that was seen: a row a measure, and a column a type."""
    measures: dict[str, Callable[[TypeStatus], str]] = {
        "full listing of": lambda each: _moment(each.in_step_as_of),
        "changes up to": lambda each: _moment(each.changes_seen_until),
        "at JW Platform": lambda each: "-" if each.listed is None else f"{each.listed:,}",
        "live in the cache": lambda each: f"{each.live:,}",
        "live in the record": lambda each: f"{each.live_in_platform:,}",
        "withheld by the guard": lambda each: f"{each.withheld:,}",
        "missing, not confirmed": lambda each: f"{each.unconfirmed:,}",
        "open problems": lambda each: f"{each.open_problems:,}",
    }
    rows = [(name, *map(measure, types)) for name, measure in measures.items()]
    return [("", *(f"{each.resource_type}s" for each in types)), *rows]


def next_step(status: Status) -> str:
    """Return in one sentence what to do next, with the command for it."""
    for each in status.types:
        stopped = each.withheld_snapshot or each.quarantined_snapshot
        if stopped is not None:
            return f"Look at what the guard has stopped: `jwpfetch --release {stopped} --dry-run`."
    if any(each.newest_read == "failed" for each in status.types):
        return "Mend what made the newest read fail, then synchronise: `jwpfetch`."
    if status.troubles:
        listed = all(each.lag is not None and each.lag <= status.max_age for each in status.types)
        only_behind = listed and any(each.behind for each in status.types)
        return f"Bring the record in step: `jwpfetch{' --skip-fetch' * only_behind}`."
    if status.outbox.conflicts or status.outbox.refused:
        return "Decide about the edits in conflict, or refused: `jwp-pipeline edits` shows them and how."
    if status.outbox.waiting:
        return "Nothing has to be done: the daemon pushes the edits that wait. `jwpfetch --push` does it now."
    return "Nothing has to be done."


def waiting(status: Status) -> str:
    """Return what waits, in sentences, and the command that shows more of it."""
    outbox, events = status.outbox, status.events
    said = []
    if outbox.waiting or outbox.conflicts or outbox.refused:
        said.append(f"Edits: {outbox.in_words}; `jwp-pipeline edits` says more.")
    if events.events:
        said.append(f"{events.events:,} events of JW Platform wait, the oldest since {_moment(events.oldest)}.")
    behind = sum(each.behind for each in status.types)
    if behind:
        said.append(f"{behind:,} cached resources wait for the media side; `jwpfetch --skip-fetch` brings it in step.")
    return " ".join(said) or "Nothing waits: no edit, no event, no resource."


def _steps(status: Status) -> str:
    return "\n".join(f"\n- {trouble}." for trouble in status.troubles)


def _days(days: Sequence[Day]) -> list[tuple[str, str, str]]:
    """Return the pictures of the days: the name, the text and the URL of each."""
    if not days:
        return []
    live, changes = [day.live for day in days], [day.changes for day in days]
    span = f"{days[0].day} to {days[-1].day}"
    changed = f"{sum(changes):,} changes of videos, {max(changes):,} at most on a day, not counting the first mirror"
    return [
        ("live videos", f"{live[0]:,} → {live[-1]:,} live videos, {span}", line(live)),
        ("changes of videos", changed, bars(changes)),
    ]


def _pictures(days: Sequence[Day]) -> str:
    pieces = [f"{text}\n\n{image(name, url)}" for name, text, url in _days(days)]
    return "\n\n".join(pieces) or "Nothing has been synchronised yet."


def _runs(runs: Sequence[RunLine]) -> Table:
    rows = [
        (
            run.job,
            run.status.lower(),
            f"{run.started:%Y-%m-%d %H:%M}" if run.started else "-",
            "-" if run.seconds is None else f"{run.seconds:,.1f} s",
        )
        for run in runs
    ]
    return [("job", "result", "started (UTC)", "took"), *rows]


def _markdown(table: Table) -> str:
    head, *rows = table
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def _html_code(text: str) -> str:
    """Return a text as HTML, with what is in backticks as code."""
    pieces = html.escape(text).split("`")
    return "".join(f"<code>{piece}</code>" if place % 2 else piece for place, piece in enumerate(pieces))


def _html_table(table: Table) -> str:
    head, *rows = table
    cells = "".join(f"<th>{html.escape(name)}</th>" for name in head)
    lines = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{cells}</tr>{lines}</table>"


def _moment(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"
