"""Evaluates the check that JW Platform's events are handled soon."""

import dagster as dg

from jwp_pipeline.orchestration.checks.results import WARN, check_result
from jwp_pipeline.webhooks.store import Backlog

EVENTS_ARE_HANDLED = "events_are_handled"

LONGEST_MINUTES = 30
"""How long an event may wait. After a failed run the sensor may wait a quarter of an hour before it asks again."""


def events_are_handled(key: dg.AssetKey, backlog: Backlog) -> dg.AssetCheckResult:
    """Evaluate check `events_are_handled`."""
    minutes = backlog.seconds / 60
    late = backlog.events > 0 and minutes > LONGEST_MINUTES
    return check_result(
        EVENTS_ARE_HANDLED,
        f"{backlog.events} events of JW Platform wait for a look at their keys, the oldest for {minutes:.0f} minutes."
        if late
        else None,
        well="No event of JW Platform waits for long.",
        metadata={"waiting": backlog.events, "oldest_seconds": round(backlog.seconds, 1)},
        key=key,
        severity=WARN,
    )
