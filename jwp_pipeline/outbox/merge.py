"""Decides what becomes of each edit, by comparing the value here with that at JW Platform and the one it was made on.

Put here every rule about edits on two sides (semantics §8, "Two sides"). The functions are pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jwp_pipeline.outbox.fields import FIELDS, Unsendable, Value

Policy = Literal["ask", "ours", "theirs"]
"""JWP_CONFLICT: what to do about a field that was changed on both sides."""
Verdict = Literal["push", "done", "conflict", "theirs", "unsendable"]


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit of one field that has not been pushed yet."""

    field: str
    number: int
    """Its edit_number when it was read."""
    base: Value
    """The value that it was made on; None if that could not be read."""
    ours: Value
    """The value of the item now; None if Python cannot hold it."""
    theirs: Value
    """The value at JW Platform now; None if it cannot be read."""
    attempted: tuple[Value, ...] = ()
    """Values that earlier pushes set out to send, without knowing in the end whether JW Platform has them."""
    was_stuck: bool = False
    """Whether it was in conflict or refused before, so that somebody may have decided for our value."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of an edit."""

    edit: Edit
    verdict: Verdict
    """push it; done, since JW Platform has the value already; conflict; let theirs win; or it cannot be sent."""
    sent: Value = None
    """The value as it will be read back, if it is pushed or done."""
    problem: str | None = None


def decide(edit: Edit, *, policy: Policy, moved: bool) -> Decision:
    """Decide about one edit. `moved` says whether JW Platform's stamp of the video differs from that of the base."""
    if edit.ours is None:
        return _unsendable(edit, "its value cannot be read here")
    try:
        sent = FIELDS[edit.field].as_sent(edit.ours)
    except Unsendable as flaw:
        return _unsendable(edit, str(flaw))
    if edit.theirs == sent:
        return Decision(edit, "done", sent)
    is_taken_back = edit.base in (edit.ours, sent) and not edit.was_stuck
    if is_taken_back and edit.theirs is not None and edit.theirs not in edit.attempted:
        # In the end, the field was changed only there.
        return Decision(edit, "theirs", sent)
    # What cannot be read there may be replaced, unless somebody has changed the video since.
    may_replace = edit.theirs is None and not moved
    unchanged = may_replace or edit.theirs in (edit.base, *edit.attempted)
    if unchanged or policy == "ours":
        return Decision(edit, "push", sent)
    return Decision(edit, "theirs" if policy == "theirs" else "conflict", sent)


def _unsendable(edit: Edit, flaw: str) -> Decision:
    return Decision(edit, "unsendable", problem=f"{edit.field} was not pushed: {flaw}. Edit it again.")
