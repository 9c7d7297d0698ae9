"""Reads the data of `library_report` from the tables as small data frames that hold aggregates, never whole tables.

Put here what the report knows; charts.py and pictures.py draw it. Import this module inside the function that needs it,
because pandas takes half a second to load.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd
from sqlalchemy import Connection, Engine, TextClause, text

from jwp_pipeline.database.connection import connect
from jwp_pipeline.database.sql import statement
from jwp_pipeline.history.daily import PACKAGE, days_to_compute

# Enough for good quantiles, and few enough to limit memory after a mass update.
REFLECTED_CHANGES = 50_000
NOT_GIVEN = "not given"
DURATION_STEP, LONGEST_DURATION = 5, 120
"""Minutes: the width of a bar in the histogram of durations, and where the histogram ends."""

_LIVE_ITEMS = "FROM media_items WHERE deleted_at IS NULL"
_MEDIA_TYPES = f"SELECT type AS name, count(*) AS items {_LIVE_ITEMS} GROUP BY 1 ORDER BY 2 DESC, 1"
_LANGUAGES = (
    f"SELECT coalesce(nullif(language, ''), '{NOT_GIVEN}') AS name, count(*) AS items {_LIVE_ITEMS}"
    " GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 12"
)
_TAGS = (
    "SELECT tag AS name, count(DISTINCT id) AS items FROM media_items CROSS JOIN LATERAL unnest(tags) AS tag"
    " WHERE deleted_at IS NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 15"
)
_PROBLEMS = (
    "SELECT type || ': ' || field AS name, count(*) AS items FROM sync_problems WHERE resolved_at IS NULL"
    " GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 12"
)
_DURATIONS = (
    f"SELECT width_bucket(duration / 60, 0, {LONGEST_DURATION}, {LONGEST_DURATION // DURATION_STEP}) AS step,"
    f" count(*) AS items {_LIVE_ITEMS} AND duration > 0 GROUP BY 1"
)
_UNTIMED = f"SELECT count(*) {_LIVE_ITEMS} AND NOT duration > 0"


@dataclass(frozen=True, slots=True)
class LibraryReport:
    """The library over time and at present. Each series holds counts by name, in display order."""

    days: pd.DataFrame
    """The days in library_history on which the library is known. The columns are day (datetime64, UTC midnight), type,
    live, added (without what the first sync added), restored, deleted, hours and storage_bytes."""
    days_to_compute: int
    """The number of days before today that library_history lacks, or that it stored before they were over."""
    first_to_compute: date | None
    last_to_compute: date | None
    media_types: pd.Series[int]
    durations: pd.Series[int]
    """Live items by duration, in steps of DURATION_STEP minutes; the index is the minute at which a step begins.
    Empty if no duration is known."""
    longer: int
    """The number of live items of LONGEST_DURATION or more."""
    untimed: int
    """The number of live items whose duration is unknown."""
    tags: pd.Series[int]
    languages: pd.Series[int]
    problems: pd.Series[int]
    """Open problems by type and field."""
    waits: pd.Series[float]
    """Seconds from JWP's time stamp of a change to its entry in the change log, for the last `REFLECTED_CHANGES`
    changes."""


def read_report(engine: Engine) -> LibraryReport:
    """Read the whole report in one transaction, so that its parts are consistent. Raises DatabaseError."""
    with connect(engine) as connection, connection.begin():
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        steps, longer = _durations(connection)
        to_compute = days_to_compute(connection)
        return LibraryReport(
            days=_days(connection),
            days_to_compute=to_compute.days,
            first_to_compute=to_compute.first,
            last_to_compute=to_compute.last,
            media_types=_counts(connection, _MEDIA_TYPES),
            durations=steps,
            longer=longer,
            untimed=int(connection.scalar(text(_UNTIMED)) or 0),
            tags=_counts(connection, _TAGS),
            languages=_counts(connection, _LANGUAGES),
            problems=_counts(connection, _PROBLEMS),
            waits=_waits(connection),
        )


def _days(connection: Connection) -> pd.DataFrame:
    frame = _frame(connection, statement(PACKAGE, "drawn_days"))
    return frame.assign(day=pd.to_datetime(frame["day"]))


def _counts(connection: Connection, query: str) -> pd.Series[int]:
    return _frame(connection, text(query)).set_index("name")["items"]


def _durations(connection: Connection) -> tuple[pd.Series[int], int]:
    found = _frame(connection, text(_DURATIONS)).set_index("step")["items"]
    beyond = LONGEST_DURATION // DURATION_STEP + 1
    if found.empty:
        return found, 0
    steps = found.reindex(range(1, beyond), fill_value=0)
    return steps.set_axis([(step - 1) * DURATION_STEP for step in steps.index]), int(found.get(beyond, 0))


def _waits(connection: Connection) -> pd.Series[float]:
    changes = _frame(connection, statement(PACKAGE, "reflected_changes"), rows=REFLECTED_CHANGES)
    stamps = pd.to_datetime(changes["last_modified"], utc=True, format="ISO8601", errors="coerce").fillna(
        pd.to_datetime(pd.to_numeric(changes["updated"], errors="coerce"), unit="s", utc=True, errors="coerce")
    )
    waits = (pd.to_datetime(changes["changed_at"], utc=True) - stamps).dt.total_seconds()
    # Clocks differ: a change that JWP dates in our future counts as reflected immediately.
    return waits.dropna().clip(lower=0)


def _frame(connection: Connection, query: TextClause, **parameters: object) -> pd.DataFrame:
    return pd.read_sql_query(query, connection, params=parameters)  # type: ignore[arg-type]
