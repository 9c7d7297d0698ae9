"""The book of what could not be read: opened once, touched while it lasts, resolved when it is mended.

Set-based: the problems found stand in a temporary table, so that thousands cost as little as one. Put here how
problems are opened, touched and resolved; each part of a sync finds its own.
"""

from __future__ import annotations

from typing import Literal

from sqlalchemy import Connection, text

from jwp_pipeline.database.sql import statement
from jwp_pipeline.database.upkeep import analyze, is_much

Stage = Literal["cache", "mapping", "ownership", "permission"]
"""Part of the sync that finds a problem and will resolve it: storing, reading a field, settling two claims to one
thing, deciding who may view an item."""


def create_found_problems(connection: Connection) -> None:
    """Make two temporary tables, empty, gone with the transaction.

    `found_problems` (key, field, value, problem) is for what was found, `looked_at` (key) for the resources that
    were read, when that was not all of the type.
    """
    connection.execute(text("DROP TABLE IF EXISTS pg_temp.found_problems, pg_temp.looked_at"))
    connection.execute(text("CREATE TEMPORARY TABLE looked_at (key text PRIMARY KEY) ON COMMIT DROP"))
    connection.execute(
        text(
            "CREATE TEMPORARY TABLE found_problems"
            " (key text NOT NULL, field text NOT NULL, value text, problem text NOT NULL) ON COMMIT DROP"
        )
    )


def record_problems(connection: Connection, stage: Stage, resource_type: str, *, complete: bool) -> int:
    """Bring sync_problems in step with `found_problems`; the number now open of this stage and type.

    What was not found again is mended, of every resource (`complete`) or of those in `looked_at`.
    """
    parameters = {"stage": stage, "resource_type": resource_type, "complete": complete}
    # New ones last: the planner knows nothing of rows that were written a moment ago.
    for step in ("touch_problems", "resolve_problems"):
        connection.execute(statement("jwp_pipeline.database", step), parameters)
    opened = connection.execute(statement("jwp_pipeline.database", "open_problems"), parameters).rowcount
    still_open = open_problems(connection, stage, resource_type)
    if is_much(opened, still_open):
        analyze(connection, "sync_problems", "stage", "type", "key", "field", "resolved_at")
    return still_open


def open_problems(connection: Connection, stage: Stage, resource_type: str) -> int:
    """Number of open problems of a stage and type."""
    return int(
        connection.scalar(
            text(
                "SELECT count(*) FROM sync_problems"
                " WHERE stage = :stage AND type = :resource_type AND resolved_at IS NULL"
            ),
            {"stage": stage, "resource_type": resource_type},
        )
        or 0
    )
