"""Writes the status page: as pieces of Markdown, which Dagster's UI shows unfolded, and as one HTML file.

The functions are pure. Put here what the page says, and how.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from jwp_pipeline.database.status import TypeStatus
from jwp_pipeline.status.read import Day, Status

MOST_CHARACTERS = 999
"""Dagster's UI shows Markdown of fewer than 1,000 characters unfolded, and hides longer texts behind a button."""

_BLOCKS = "▁▂▃▄▅▆▇█"
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
  .days {{ font-size: 1.4rem; letter-spacing: 1px; }} code {{ background: #f3f3f3; padding: 0 .2rem; }}
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
        "counts": _markdown(counts(status.types)),
        "waiting": waiting(status),
        "last_30_days": _days(status.days),
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
    live = _sparkline([day.live for day in status.days])
    steps = "".join(f"<p>{html.escape(trouble)}.</p>" for trouble in status.troubles)
    return "\n".join(
        [
            _HEAD.format(title=html.escape(title)),
            f'<h1 class="{kind}">{html.escape(title)}</h1>',
            steps,
            _html_table(counts(status.types)),
            f"<p>{html.escape(waiting(status))}</p>",
            f'<h2>Videos, the last {len(status.days)} days</h2><p class="days">{live}</p>',
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


def waiting(status: Status) -> str:
    """Return what waits, in sentences, and the command that shows more of it."""
    outbox, events = status.outbox, status.events
    said = []
    if outbox.waiting or outbox.conflicts or outbox.refused:
        said.append(f"Edits: {outbox.in_words}; `jwp-pipeline edits` shows them.")
    if events.events:
        said.append(f"{events.events:,} events of JW Platform wait, the oldest since {_moment(events.oldest)}.")
    behind = sum(each.behind for each in status.types)
    if behind:
        said.append(f"{behind:,} cached resources wait for the media side; `jwpfetch --skip-fetch` brings it in step.")
    return " ".join(said) or "Nothing waits: no edit, no event, no resource."


def _steps(status: Status) -> str:
    return "\n".join(f"\n- {trouble}." for trouble in status.troubles)


def _days(days: Sequence[Day]) -> str:
    if not days:
        return "Nothing has been synchronised yet."
    first, last = days[0], days[-1]
    changes = sum(day.changes for day in days)
    return (
        f"live videos `{_sparkline([day.live for day in days])}` {first.live:,} → {last.live:,}\n\n"
        f"changes `{_sparkline([day.changes for day in days])}` {changes:,} in all\n\n"
        f"from {first.day} to {last.day}"
    )


def _sparkline(numbers: Sequence[int]) -> str:
    """Return one block a number, the highest for the largest of them."""
    least, most = min(numbers, default=0), max(numbers, default=0)
    span = most - least
    return "".join(_BLOCKS[round((number - least) / span * (len(_BLOCKS) - 1)) if span else 0] for number in numbers)


def _runs(runs: Sequence[RunLine]) -> Table:
    rows = [
        (
            run.job,
            run.status.lower(),
            _moment(run.started),
            "-" if run.seconds is None else f"{run.seconds:,.1f} s",
        )
        for run in runs
    ]
    return [("job", "result", "started", "took"), *rows]


def _markdown(table: Table) -> str:
    head, *rows = table
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def _html_table(table: Table) -> str:
    head, *rows = table
    cells = "".join(f"<th>{html.escape(name)}</th>" for name in head)
    lines = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{cells}</tr>{lines}</table>"


def _moment(moment: datetime | None) -> str:
    return "never" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S} UTC"
