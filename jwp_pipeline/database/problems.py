"""Records in `sync_problems` what could not be read: opens problems, updates them while they last, and resolves them.

Each part of a sync finds its own problems and puts them into a temporary table. From there they are recorded with a few
statements, however many there are. Put here how problems are opened, updated and resolved.
"""

from __future__ import annotations

from typing import Literal

from sqlalchemy import Connection, text

from jwp_pipeline.database.sql import statement
from jwp_pipeline.database.upkeep import analyze, is_much

Stage = Literal["cache", "mapping", "ownership", "permission", "push"]
"""The part of the sync that finds a problem and later resolves it: storing resources, reading their fields, deciding
between two resources that claim the same thing, deciding who may view an item, or pushing an edit."""


def create_found_problems(connection: Connection) -> None:
    """Create two empty temporary tables that are dropped at the end of the transaction.

    `found_problems` (key, field, value, problem) holds the problems that were found. `looked_at` (key) holds the
    resources that were read, unless all resources of the type were read.
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
    """Update sync_problems from `found_problems`. Returns the number of open problems of this stage and type.

    Problems that were not found again are resolved: those of all resources if `complete`, else only those of the
    resources in `looked_at`.
    """
    parameters = {"stage": stage, "resource_type": resource_type, "complete": complete}
    # New problems are inserted last, because the planner has no statistics about rows that were just inserted.
    for step in ("touch_problems", "resolve_problems"):
        connection.execute(statement("jwp_pipeline.database", step), parameters)
    opened = connection.execute(statement("jwp_pipeline.database", "open_problems"), parameters).rowcount
    still_open = open_problems(connection, stage, resource_type)
    if is_much(opened, still_open):
        analyze(connection, "sync_problems", "stage", "type", "key", "field", "resolved_at")
    return still_open


def open_problems(connection: Connection, stage: Stage, resource_type: str) -> int:
    """Return the number of open problems of a stage and type."""
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
