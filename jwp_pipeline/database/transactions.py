"""Runs transactions, and repeats them if they conflict with those of other sessions."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from jwp_pipeline.database.leases import Lease
from jwp_pipeline.database.revision import require_revision
from jwp_pipeline.database.translation import CONFLICTS, ERRORS, sqlstate

TRIES = 4
"""How often a transaction is tried before a conflict is raised as an error."""

_log = logging.getLogger(__name__)
Result = TypeVar("Result")


def in_transaction(connection: Connection, work: Callable[[], Result], *, lease: Lease | None = None) -> Result:
    """Call `work` in one transaction on `connection`, commit, and return its result.

    After a deadlock or a serialization failure, `work` is called again after a pause of less than a second, up to
    TRIES times in all. Therefore `work` must read everything that its decisions depend on inside the transaction, and
    must change nothing outside it. If the `lease` of a run is given, every attempt first makes sure that the run may
    still write. Raises whatever `work` raises, and LeaseLost.
    """

    def attempt_once() -> Result:
        with connection.begin():
            require_revision(connection)
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
            # The pause is random, so that two transactions that conflicted do not conflict again.
            time.sleep(random.uniform(0.05, 0.25) * attempt)  # noqa: S311
    return attempt_once()
