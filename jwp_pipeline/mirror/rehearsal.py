"""Carries out a plan, lets something else follow it, and takes everything back: what a dry run shows besides the plan.

Put here how a plan is rehearsed. What follows the cache is not this room's business, so the caller brings it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from sqlalchemy import Connection, text

from jwp_pipeline.mirror.plan import MOST_ROWS, Plan


class Preview(Protocol):
    """What follows the cache. All of it happens in the transaction of the connection."""

    def look(self, connection: Connection, keys: Sequence[str]) -> Any:
        """Return how things stand for these keys."""
        ...

    def follow(self, connection: Connection) -> None:
        """Follow the cache as it is now."""
        ...

    def compare(self, before: Any, after: Any) -> Any:
        """Return the difference between two results of `look`."""
        ...


def rehearse(connection: Connection, plan: Plan, carry_out: Callable[[], None], preview: Preview) -> Any:
    """Return what `preview` finds to differ after the prepared plan has been carried out, and take all of it back.

    For the time of the rehearsal the transaction holds the locks that a sync would hold. Returns None for a plan of
    more than MOST_ROWS rows, which would hold them too long.
    """
    if plan.rows > MOST_ROWS:
        return None
    keys = connection.scalars(
        text("SELECT key FROM plan WHERE change IN ('added', 'changed', 'refreshed', 'restored', 'deleted')")
    ).all()
    before = preview.look(connection, keys)
    rehearsal = connection.begin_nested()
    try:
        carry_out()
        preview.follow(connection)
        after = preview.look(connection, keys)
    finally:
        rehearsal.rollback()
    return preview.compare(before, after)
