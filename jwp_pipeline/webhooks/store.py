"""Keeps events in `jwp_events`: stores them once, hands out those that wait, marks them as handled, and prunes them.

An event waits until the read of JW Platform that was made because of it has been applied. It is marked in the
transaction that applies that read, so that a crash loses no event. Every function works on the connection that it is
given and never commits. Put here what reads or changes `jwp_events`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, delete, func, select, update

from jwp_pipeline.database.sql import statement
from jwp_pipeline.database.webhook_tables import JwpEvent
from jwp_pipeline.jwplatform.management import ResourceType
from jwp_pipeline.webhooks.events import Event

KEPT_DAYS = 30
"""How long handled events are kept, so that people can look at them, and so that none is stored twice."""

MOST_EVENTS = 10_000
"""How many events one run handles. The next run begins with the oldest that are left."""

# Two changes within one second give two equal events, of which only one is stored. A look that is made more than a
# second later sees both. JW Platform also reports most changes twice, so that waiting saves a look.
_SETTLING_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Waiting:
    """The events of a type that wait to be handled and are old enough for a look."""

    ids: tuple[int, ...]
    keys: tuple[str, ...]
    """Their keys, each once, those of the oldest events first."""


def store(connection: Connection, event: Event) -> bool:
    """Store an event. Returns False if it had been stored already."""
    values = asdict(event) | {"asks_for_a_look": event.asks_for_a_look}
    return connection.execute(statement(__package__, "store_event"), values).rowcount == 1


def newest_waiting(connection: Connection) -> int | None:
    """Return the id of the newest event that waits and is old enough for a look; None if there is none."""
    newest: int | None = connection.scalar(select(func.max(JwpEvent.id)).where(*_settled()))
    return newest


def waiting(connection: Connection, resource_type: ResourceType) -> Waiting:
    """Return the events of a type that wait and are old enough for a look, at most MOST_EVENTS."""
    of_type = select(JwpEvent.id, JwpEvent.key).where(*_settled(), JwpEvent.type == resource_type)
    rows = connection.execute(of_type.order_by(JwpEvent.id).limit(MOST_EVENTS)).all()
    return Waiting(tuple(row.id for row in rows), tuple(dict.fromkeys(row.key for row in rows)))


def attach(connection: Connection, ids: Sequence[int], snapshot_id: int) -> None:
    """Record that a snapshot was read because of these events; applying it handles them."""
    connection.execute(update(JwpEvent).where(JwpEvent.id.in_(ids)).values(snapshot_id=snapshot_id))


def settle(connection: Connection, snapshot_id: int) -> None:
    """Mark the events as handled for which a snapshot was read, in the transaction that applies it. Old ones go."""
    connection.execute(
        update(JwpEvent)
        .where(JwpEvent.snapshot_id == snapshot_id, JwpEvent.handled_at.is_(None))
        .values(handled_at=func.now())
    )
    connection.execute(delete(JwpEvent).where(JwpEvent.handled_at < func.now() - timedelta(days=KEPT_DAYS)))


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many events wait, and since when."""

    events: int
    oldest: datetime | None
    """When the oldest of them was received, in UTC."""
    seconds: float
    """How long it has waited."""


def backlog(connection: Connection) -> Backlog:
    """Return how many events wait to be handled, the newest included."""
    oldest = func.min(JwpEvent.received_at)
    age = func.coalesce(func.extract("epoch", func.clock_timestamp() - oldest), 0)
    row = connection.execute(select(func.count(), oldest, age).where(JwpEvent.handled_at.is_(None))).one()
    return Backlog(int(row[0]), row[1], float(row[2]))


def _settled() -> tuple[ColumnElement[bool], ...]:
    settled = JwpEvent.received_at <= func.clock_timestamp() - timedelta(seconds=_SETTLING_SECONDS)
    return JwpEvent.handled_at.is_(None), settled
