"""A plan on the terminal: nothing of it is cut or obeyed, and it adds up."""

import io

import pytest
from rich.console import Console

from jwp_pipeline.commands.plan_view import print_plan
from jwp_pipeline.commands.terminal import Terminal
from jwp_pipeline.mirror.apply import Applied
from jwp_pipeline.mirror.differences import Difference
from jwp_pipeline.mirror.guard import ACCEPTED, Verdict
from jwp_pipeline.mirror.plan import Plan, PlannedChange

COUNTS = dict.fromkeys(
    ("changed", "refreshed", "reformatted", "restored", "missing", "never_listed", "deleted_since", "deleted"), 0
)


def plan(*changes, **counts):
    counts = COUNTS | {"live": 10, "seen": 10, "added": 0, "set_aside": 0, "problems": 0} | counts
    return Plan(snapshot_id=7, resource_type="video", is_full=True, asking_stopped=None, head=changes, **counts)


def printed(plan, *, width=80, whole=False, verdict=ACCEPTED, dry_run=True):
    out = Console(width=width, record=True, markup=False, emoji=False, file=io.StringIO())
    report = Applied("video", plan, live=10, missing=0, listed=10, open_problems=0, dry_run=dry_run, verdict=verdict)
    print_plan(report, Terminal(out, out), whole=whole)
    return out.export_text().splitlines()


@pytest.mark.parametrize("width", [20, 80, 140])
def test_what_happens_to_which_key_is_never_cut(width):
    title = "A very long title " * 20
    deleted = PlannedChange("Abcd1234", "deleted", title, ())
    fields = tuple(Difference(f"custom.a_long_name_{n}", "old " * 50, "new " * 50) for n in range(20))
    changed = PlannedChange("Efgh5678", "changed", title, fields)
    lines = printed(plan(deleted, changed, deleted=1, missing=1, changed=1), width=width)
    assert lines[1] == f"  - deleted   Abcd1234  {title}"
    assert lines[2] == f"  ~ changed   Efgh5678  {title}"
    assert [line.split(":")[0] for line in lines[3:23]] == [f"      {field.path}" for field in fields]


def test_long_values_are_shortened_unless_the_whole_plan_is_asked_for():
    old, new = "a" * 500, "b" * 500
    change = PlannedChange("Efgh5678", "changed", "", (Difference("description", old, new),))
    short, long = (printed(plan(change, changed=1), whole=whole)[2] for whole in (False, True))
    assert len(short) < 180
    assert long == f'      description: "{old}" → "{new}"'


def test_nothing_in_a_title_or_value_is_obeyed_by_the_terminal():
    evil = "\x1b[2J\x9b31m\r\n\u202egpj.exe"
    change = PlannedChange("Efgh5678", "changed", evil, (Difference("title" + evil, evil, evil + "x"),))
    lines = printed(plan(change, changed=1))
    assert len(lines) == 4
    assert not any(unsafe in line for line in lines for unsafe in "\x1b\x9b\r\u202e")
    assert r"\x1b[2J\x9b31m\r\n\u202egpj.exe" in lines[1]


def test_the_total_counts_what_is_shown_and_what_is_not():
    change = PlannedChange("Abcd1234", "added", "", ())
    counts = {"added": 3, "changed": 2, "missing": 5, "deleted": 1, "seen": 2_000}
    assert printed(plan(change, **counts))[-2:] == [
        "  … and 9 more, which --all shows.",
        "  Plan: 3 added, 2 changed, 1 deleted; 4 missing, but not confirmed, 1,995 unchanged.",
    ]
    withheld = printed(plan(change, **counts), verdict=Verdict(withheld="too many"), dry_run=False)
    assert withheld[-1] == "  Total: 3 added, 2 changed; 5 withheld by the guard, 1,995 unchanged."
    assert printed(plan()) == []
