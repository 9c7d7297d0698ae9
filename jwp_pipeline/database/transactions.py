"""Transactions that are begun anew when they collide with somebody else's. Put here how a transaction is repeated."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from jwp_pipeline.database.translation import CONFLICTS, ERRORS, sqlstate

TRIES = 4
"""Times that a transaction is begun before its collisions are an error."""

_log = logging.getLogger(__name__)
Result = TypeVar("Result")


def in_transaction(connection: Connection, work: Callable[[], Result]) -> Result:
    """Do `work` in one transaction on `connection`, and commit; its result.

    After a deadlock or a serialization failure it is done anew, up to TRIES times, after a pause of less than a second.
    So `work` must read all that it decides by inside of the transaction, and change nothing outside of it. Raises
    what `work` raises.
    """
    for attempt in range(1, TRIES):
        try:
            with connection.begin():
                return work()
        except ERRORS as error:
            if sqlstate(error) not in CONFLICTS:
                raise
            _log.warning("A transaction collided with somebody else's (SQLSTATE %s); begun anew.", sqlstate(error))
            # At random, so that two that collided do not do so again.
            time.sleep(random.uniform(0.05, 0.25) * attempt)  # noqa: S311
    with connection.begin():
        return work()
