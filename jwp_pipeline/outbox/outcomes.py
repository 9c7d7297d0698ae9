"""Records what came of asking JW Platform about an item, and says it for the report.

Put here what follows from each kind of answer; exchange.py gets the answers, and records.py writes single results.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from sqlalchemy import Connection

from jwp_pipeline.errors import CredentialsRefused, JWPlatformError, WritingNotAllowed
from jwp_pipeline.outbox import records
from jwp_pipeline.outbox.exchange import Answer, is_about_one, seconds_to_next_try
from jwp_pipeline.outbox.fields import in_words
from jwp_pipeline.outbox.merge import Decision, Verdict
from jwp_pipeline.outbox.report import PushedChange, Result

_RESULTS: dict[Verdict, Result] = {
    "push": "pushed",
    "done": "unchanged",
    "conflict": "conflict",
    "theirs": "theirs",
    "unsendable": "refused",
}


def record(connection: Connection, answer: Answer) -> list[float]:
    """Record what came of one item, in the caller's transaction. Returns the seconds from each edit to its arrival.

    Raises ItemBusy if somebody else is writing the item.
    """
    item, error = answer.item, answer.error
    if isinstance(error, WritingNotAllowed):
        # That is no problem of the item. But perhaps nobody may change it, so others have to be tried first.
        records.go_behind(connection, item)
        return []
    if isinstance(error, CredentialsRefused):
        return []
    if error is not None and not is_about_one(error):
        records.try_later(connection, item, str(error), seconds_to_next_try(item.tries))
        return []
    decisions = answer.decisions if error is None else _refused(answer.decisions, error)
    for verdict, state in (("conflict", "conflict"), ("unsendable", "refused")):
        stuck = [decision for decision in decisions if decision.verdict == verdict]
        if stuck:
            records.set_aside(connection, item, stuck, state)
    settled = [decision for decision in decisions if decision.verdict in ("push", "done", "theirs")]
    return records.settle(connection, item, settled, shown=answer.shown, updated=answer.updated) if settled else []


def changes(answer: Answer) -> list[PushedChange]:
    """Return what happened to each edit of the item, for the report."""
    item, error = answer.item, answer.error
    if error is not None and not answer.decisions:
        return [
            PushedChange(item.item_id, item.key, edit.field, _failed(error), problem=str(error)) for edit in item.edits
        ]
    return [_change(answer, decision) for decision in answer.decisions]


def _change(answer: Answer, decision: Decision) -> PushedChange:
    item, edit, error = answer.item, decision.edit, answer.error
    failed = error if decision.verdict == "push" else None
    return PushedChange(
        item.item_id,
        item.key,
        edit.field,
        _RESULTS[decision.verdict] if failed is None else _failed(failed),
        in_words(edit.field, edit.ours),
        in_words(edit.field, edit.theirs),
        decision.problem if failed is None else str(failed),
    )


def _failed(error: JWPlatformError) -> Literal["refused", "later"]:
    return "refused" if is_about_one(error) else "later"


def _refused(decisions: Sequence[Decision], error: JWPlatformError) -> list[Decision]:
    """Return the decisions after JW Platform has refused what was sent; the others were made without sending."""
    return [
        replace(decision, verdict="unsendable", problem=str(error)) if decision.verdict == "push" else decision
        for decision in decisions
    ]
