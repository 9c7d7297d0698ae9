"""Prints a plan: what changes, from which value to which, and what that amounts to.

Put here how a plan is shown to people. The functions are pure, except `print_plan`.
"""

from __future__ import annotations

from collections.abc import Iterator

from jwp_pipeline.commands.terminal import Terminal, on_one_line
from jwp_pipeline.media.preview import in_words
from jwp_pipeline.mirror.apply import Applied
from jwp_pipeline.mirror.differences import shortened
from jwp_pipeline.mirror.plan import PlannedChange

# The sign and the colour of each kind of change, as in other programs that show plans.
_SIGNS = {
    "added": ("+", "green"),
    "restored": ("+", "green"),
    "changed": ("~", "yellow"),
    "deleted": ("-", "red"),
    "missing": ("?", "magenta"),
}
_VALUE = 72
_KIND_WIDTH = max(map(len, _SIGNS))


def print_plan(report: Applied, terminal: Terminal, *, whole: bool) -> None:
    """Print the plan of a report, if there is anything in it. `whole` shows values in full, however long they are.

    No line is cut or folded by us: what is deleted must never be what does not fit.
    """
    plan = report.plan
    if plan is None or not plan.changes:
        return
    terminal.say(f"{plan.resource_type}s, by snapshot {plan.snapshot_id}:", "bold")
    for change in plan.head:
        _, style = _SIGNS[change.change]
        head, *details = change_lines(change, whole=whole)
        terminal.say(head, style)
        for detail in details:
            terminal.say(detail)
        if report.effects and change.key in report.effects:
            terminal.say(f"      → {report.effects[change.key].in_words}")
    left = plan.changes - len(plan.head)
    if left > 0:
        terminal.say(f"  … and {left:,} more" + ("." if whole else ", which --all shows."))
    terminal.say(f"  {total_line(report)}")
    if report.effects and (happens := in_words(report.effects)):
        terminal.say(f"  {happens}")


def change_lines(change: PlannedChange, *, whole: bool) -> Iterator[str]:
    """Yield the lines of one change: what happens to which resource, and each value that differs."""
    sign, _ = _SIGNS[change.change]
    stays = "  (JW Platform has not confirmed that it is gone; it stays)" if change.change == "missing" else ""
    yield f"  {sign} {change.change:{_KIND_WIDTH}}  {on_one_line(change.key)}  {on_one_line(change.title)}{stays}"
    for difference in change.differences:
        old, new = (on_one_line(text if whole else shortened(text, _VALUE)) for text in difference.in_words)
        yield f"      {on_one_line(difference.path)}: {old} → {new}"


def total_line(report: Applied) -> str:
    """Return the sum of a plan: what is written, what stays although it is missing, and what is unchanged."""
    plan = report.plan
    if plan is None:
        return "Nothing to apply."
    withheld = plan.missing if report.verdict.withheld else 0
    counts = {
        "added": plan.added,
        "changed": plan.changed,
        "restored": plan.restored,
        "deleted": 0 if withheld else plan.deleted,
    }
    stays = {
        "withheld by the guard": withheld,
        "missing, but not confirmed": 0 if withheld else plan.unconfirmed,
        "unchanged": plan.unchanged,
    }
    written = ", ".join(f"{count:,} {word}" for word, count in counts.items() if count) or "nothing"
    rest = ", ".join(f"{count:,} {word}" for word, count in stays.items() if count)
    what = "Plan" if report.dry_run or report.refused else "Total"
    return f"{what}: {written}{f'; {rest}' if rest else ''}."
