"""Prints whether the record is in step with JW Platform, since when, and what to do next.

Put here what is shown of a status, as text or as a JSON document; database/status.py reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine

from jwp_pipeline.commands.terminal import Terminal, numbers, plain_table, with_columns
from jwp_pipeline.database.connection import connect, in_words
from jwp_pipeline.database.status import TypeStatus, read_status
from jwp_pipeline.outbox.report import Outbox, read_outbox
from jwp_pipeline.settings import Settings
from jwp_pipeline.webhooks.store import Backlog, backlog


@dataclass(frozen=True, slots=True)
class Status:
    """The state of the record at a moment."""

    site: str | None
    """JW Platform's id of the configured site."""
    database: str
    """The URL of the database, without its password."""
    schema: str
    types: Sequence[TypeStatus]
    events: Backlog
    outbox: Outbox
    max_age: timedelta
    """The age from which a full listing is too old."""

    @property
    def troubles(self) -> list[str]:
        """Why the record is not in step; empty if it is."""
        return [trouble for status in self.types if (trouble := status.trouble(self.max_age))]


def read(engine: Engine, settings: Settings) -> Status:
    """Read the status. Raises DatabaseError."""
    with connect(engine) as connection:
        return Status(
            settings.jwplatform_api_key,
            in_words(engine),
            settings.jwp_database_schema,
            read_status(connection),
            backlog(connection),
            read_outbox(connection),
            timedelta(hours=settings.jwp_max_listing_age_hours),
        )


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
        terminal.say(f"Edits: {outbox.in_words}. `jwp-pipeline edits` shows them.")
    for trouble in status.troubles:
        terminal.fail(f"Not in step: {trouble}.")
    if not status.troubles:
        terminal.say("In step with JW Platform.", "bold green")
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
