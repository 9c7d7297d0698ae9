"""Prints whether the record is in step with JW Platform, since when, and what to do next.

Put here what is shown of a status, as text or as a JSON document; status/ reads it.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from jwp_pipeline.commands.terminal import Terminal, numbers, plain_table, with_columns
from jwp_pipeline.database.status import TypeStatus
from jwp_pipeline.status.page import headline
from jwp_pipeline.status.read import Status


def print_status(status: Status, terminal: Terminal) -> None:
    """Print the status; the last lines say whether everything is in step, and what to do if not."""
    table = plain_table("in step with JW Platform?")
    counted = ("listed", "live", "in the platform", "unconfirmed", "behind", "problems")
    # A full listing also shows deletions; a sync of changes brings everything else.
    with_columns(table, ("", "full listing of (UTC)", "lag", "changes up to (UTC)", *counted))
    for each in status.types:
        listing, changes = (
            f"{moment:%Y-%m-%d %H:%M:%S}" if moment else "never"
            for moment in (each.in_step_as_of, each.changes_seen_until)
        )
        lag = str(each.lag).split(".")[0] if each.lag else "-"
        unconfirmed = each.unconfirmed + each.withheld
        counts = (each.live, each.live_in_platform, unconfirmed, each.behind, each.open_problems)
        table.add_row(f"{each.resource_type}s", listing, lag, changes, str(each.listed or "-"), *numbers(*counts))
    terminal.show(table)
    terminal.say(f"Database: {status.database}, schema {status.schema}; `jwp-pipeline psql` opens it.")
    if status.events.events:
        since = f"{status.events.oldest:%Y-%m-%d %H:%M:%S} UTC"
        terminal.say(f"{status.events.events} events of JW Platform wait for a look, the oldest since {since}.")
    outbox = status.outbox
    if outbox.waiting or outbox.conflicts or outbox.refused:
        terminal.say(f"Edits: {outbox.in_words}. `jwp-pipeline edits` says more.")
    for trouble in status.troubles:
        terminal.fail(f"Not in step: {trouble}.")
    if not status.troubles:
        terminal.say(headline(status), "bold green")
    terminal.document("status", status_document(status))


def status_document(status: Status) -> dict[str, Any]:
    """Return the status as the content of a JSON document. docs/command-line.md describes it."""
    return {
        "in_step": not status.troubles,
        "troubles": status.troubles,
        "site": status.site,
        "database": status.database,
        "schema": status.schema,
        "types": {each.resource_type: _type_document(each) for each in status.types},
        "events_waiting": {"count": status.events.events, "seconds": round(status.events.seconds, 1)},
        "edits": asdict(status.outbox),
    }


def _type_document(status: TypeStatus) -> dict[str, Any]:
    lag = status.lag
    return {
        "full_listing_of": _moment(status.in_step_as_of),
        "changes_up_to": _moment(status.changes_seen_until),
        "lag_seconds": None if lag is None else round(lag.total_seconds(), 1),
        "listed": status.listed,
        "live": status.live,
        "in_the_platform": status.live_in_platform,
        "unconfirmed": status.unconfirmed,
        "withheld": status.withheld,
        "behind": status.behind,
        "problems": status.open_problems,
        "snapshot_to_release": status.withheld_snapshot or status.quarantined_snapshot,
    }


def _moment(moment: Any) -> str | None:
    return None if moment is None else moment.isoformat()
