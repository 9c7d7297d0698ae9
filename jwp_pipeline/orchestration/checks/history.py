"""Evaluates the check of library_history. Put here further checks of the history, and their queries in history/."""

import dagster as dg
from sqlalchemy import Engine

from jwp_pipeline.database.connection import connect
from jwp_pipeline.history.daily import days_that_do_not_add_up
from jwp_pipeline.orchestration.checks.results import WARN, check_result


def days_add_up(engine: Engine, key: dg.AssetKey) -> dg.AssetCheckResult:
    """Evaluate check `days_add_up`."""
    with connect(engine) as connection:
        apart = days_that_do_not_add_up(connection)
    found = f"{len(apart)} do not: {'; '.join(apart[:5])}. Materialise these days and those before them again."
    return check_result(
        "days_add_up",
        found if apart else None,
        well="Each complete day follows from the day before it.",
        metadata={"days": len(apart)},
        key=key,
        severity=WARN,
    )
