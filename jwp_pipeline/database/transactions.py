"""Runs transactions, and repeats those that collide with somebody else's. Put here how a transaction is run."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from jwp_pipeline.database.leases import Lease
from jwp_pipeline.database.translation import CONFLICTS, ERRORS, sqlstate

TRIES = 4
"""Times that a transaction is begun before its collisions are an error."""

_log = logging.getLogger(__name__)
Result = TypeVar("Result")


def in_transaction(connection: Connection, work: Callable[[], Result], *, lease: Lease | None = None) -> Result:
    """Do `work` in one transaction on `connection`, commit it, and return its result.

    After a deadlock or a serialization failure the transaction is repeated, up to TRIES times in all, after a pause of
    less than a second. So `work` must read everything that its decisions depend on inside the transaction, and change
    nothing outside it. With the `lease` of a run, every attempt first makes sure that the run may still write. Raises
    what `work` raises, and LeaseLost.
    """

    def attempt_once() -> Result:
        with connection.begin():
            if lease is not None:
                lease.require(connection)
            return work()

    for attempt in range(1, TRIES):
        try:
            return attempt_once()
        except ERRORS as error:
            if sqlstate(error) not in CONFLICTS:
                raise
            _log.warning("A transaction collided with somebody else's (SQLSTATE %s); begun anew.", sqlstate(error))
            # The pause is random, so that two transactions that collided do not do so again.
            time.sleep(random.uniform(0.05, 0.25) * attempt)  # noqa: S311
    return attempt_once()
