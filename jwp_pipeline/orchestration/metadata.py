"""Turns reports into Dagster metadata: numbers to plot, tables to read, and column schemas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dagster as dg

from jwp_pipeline.database.descriptions import table_named
from jwp_pipeline.media.report import MediaAsset, MediaReport
from jwp_pipeline.mirror.differences import Difference, shortened
from jwp_pipeline.mirror.landing import Listing
from jwp_pipeline.mirror.plan import Plan
from jwp_pipeline.orchestration.markdown import cell, markdown_table
from jwp_pipeline.outbox.report import PushReport

_SHOWN = 50
# Lengths in characters: of a value, and of all differences of a resource.
_VALUE, _DIFFERENCES = 60, 600

OWNERS = ["team:media-platform"]
_COUNTED = (
    "seen",
    "added",
    "changed",
    "refreshed",
    "reformatted",
    "restored",
    "missing",
    "deleted",
    "unconfirmed",
    "unchanged",
    "problems",
)


def table_metadata(name: str) -> dict[str, Any]:
    """Return the name and the columns of one of our tables, which the asset's page shows.

    The columns are not called `dagster/column_schema`, because the UI would show them in full above the numbers.
    """
    table = table_named(name)
    columns = [
        dg.TableColumn(
            column.name,
            str(column.type),
            description=column.comment,
            constraints=dg.TableColumnConstraints(nullable=bool(column.nullable), unique=bool(column.unique)),
        )
        for column in table.columns
    ]
    return {
        "dagster/table_name": table.name,
        "columns": dg.TableSchema(columns=columns),
    }


def listing_metadata(listing: Listing) -> dict[str, Any]:
    """Return the metadata of a listing that was read."""
    return {
        "dagster/row_count": listing.resource_count,
        "snapshot_id": listing.snapshot_id,
        "status": listing.status,
        "scope": listing.scope,
        "expected_total": listing.expected_total,
        "distinct_keys": listing.key_count,
        "pages": listing.page_count,
        "requests": listing.request_count,
        "retries": listing.retry_count,
        "attempts": listing.attempts,
        "seconds": round(listing.seconds, 3),
        "seconds_waiting": round(listing.seconds_waiting, 3),
        **({"problem": listing.problem} if listing.problem else {}),
    }


def plan_metadata(plans: Sequence[Plan]) -> dict[str, Any]:
    """Return the metadata of a run's plans: sums, the same numbers by type, and the head of each plan as a table."""
    metadata: dict[str, Any] = {name: sum(getattr(plan, name) for plan in plans) for name in _COUNTED}
    for plan in plans:
        metadata |= {f"{plan.resource_type}s_{name}": getattr(plan, name) for name in _COUNTED}
    metadata["plan"] = dg.MetadataValue.md("\n\n".join(plan_markdown(plan) for plan in plans) or "Nothing to apply.")
    return metadata


def media_metadata(report: MediaReport, asset: MediaAsset) -> dict[str, Any]:
    """Return the metadata of one table of the media side."""
    counts = report.counts[asset]
    return {
        "dagster/row_count": counts.live,
        "created": counts.created,
        "updated": counts.updated,
        "restored": counts.restored,
        "deleted": counts.deleted,
        "unchanged": counts.unchanged,
        "looked_at": report.looked_at,
        "members_asked": report.members_asked,
        "open_problems": sum(report.open_problems.values()),
        "seconds": round(report.seconds, 3),
    }


def push_metadata(report: PushReport) -> dict[str, Any]:
    """Return the metadata of a push: what it did, what is left, and how long edits took to arrive."""
    latencies = sorted(report.latencies)
    metadata: dict[str, Any] = {
        "pushed": report.count("pushed", "created"),
        "unchanged": report.count("unchanged"),
        "failed_for_now": report.count("later"),
        "waiting": report.after.waiting,
        "conflicts": report.after.conflicts,
        "refused": report.after.refused,
        "seconds": round(report.seconds, 3),
        "changes": dg.MetadataValue.md(_pushed_markdown(report)),
    }
    if latencies:
        metadata |= {
            "median_seconds_to_jwp": round(latencies[len(latencies) // 2], 1),
            "longest_seconds_to_jwp": round(latencies[-1], 1),
        }
    return metadata


def _pushed_markdown(report: PushReport) -> str:
    if not report.changes:
        return f"Nothing was due{f': {report.stopped}' if report.stopped else ''}."
    table = markdown_table(
        ("result", "item", "video", "field", "here", "at JW Platform before"),
        (
            (
                change.result,
                f"`{change.item_id}`",
                f"`{change.key or ''}`",
                change.field,
                cell(change.ours),
                cell(change.theirs),
            )
            for change in report.changes[:_SHOWN]
        ),
    )
    left = len(report.changes) - _SHOWN
    return f"{table}\n\nand {left} more" if left > 0 else table


def plan_markdown(plan: Plan) -> str:
    """Return the head of a plan as a Markdown table."""
    title = (
        f"**{plan.resource_type}s**, snapshot {plan.snapshot_id}: {plan.seen} seen, {plan.added} added, "
        f"{plan.changed} changed, {plan.restored} restored, {plan.deleted} deleted, {plan.unchanged} unchanged"
    )
    if not plan.head:
        return title
    rows = (
        (
            row.change,
            f"`{cell(row.key)}`",
            cell(row.title),
            cell("; ".join(map(_difference, row.differences)), _DIFFERENCES),
        )
        for row in plan.head[:_SHOWN]
    )
    return f"{title}\n\n{markdown_table(('change', 'key', 'title', 'old → new'), rows)}"


def _difference(difference: Difference) -> str:
    old, new = (shortened(text, _VALUE) for text in difference.in_words)
    return f"{difference.path}: {old} → {new}"
