"""The assets about the library's past: library_history with a partition for each day, and library_report with pictures.

The bodies call functions of history/ and return their reports.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg

from jwp_pipeline.history.daily import Day, record_days
from jwp_pipeline.orchestration.assets.mirror import POOL
from jwp_pipeline.orchestration.checks.history import days_add_up
from jwp_pipeline.orchestration.checks.results import check_spec
from jwp_pipeline.orchestration.failures import as_dagster_failure
from jwp_pipeline.orchestration.metadata import OWNERS, table_metadata
from jwp_pipeline.orchestration.runtime import Runtime


def days_from(first_day: date) -> dg.DailyPartitionsDefinition:
    """Return the partitions of `library_history` from `first_day` on. Days are in UTC, and today has one, too."""
    return dg.DailyPartitionsDefinition(start_date=first_day.isoformat(), timezone="UTC", end_offset=1)


# No change log is older than this program.
DAYS = days_from(date(2026, 1, 1))

_NUMBERS = ("live", "added", "changed", "restored", "deleted")


# This is a multi-asset of one asset, because there a backfill policy is stable, and with @asset it is in beta. A single
# run computes any range of days with one statement, and starts one process.
@dg.multi_asset(
    name="library_history",
    pool=POOL,
    backfill_policy=dg.BackfillPolicy.single_run(),
    specs=[
        dg.AssetSpec(
            "library_history",
            deps=["cached_resources", "resource_changes"],
            partitions_def=DAYS,
            description="What the library was at the end of each day (UTC) and what happened on it, by type: live "
            "totals, added, changed, restored, deleted, hours of video and, where known, storage. Computed from the "
            "change log at any time, for any range of days; days before the log begins say so in `note`.",
            group_name="history",
            kinds={"postgres"},
            owners=OWNERS,
            metadata=table_metadata("library_history"),
        )
    ],
    check_specs=[
        check_spec(
            "days_add_up",
            "library_history",
            "Each complete day's live total is that of the day before, plus what was added and restored, less what was "
            "deleted.",
        )
    ],
)
def library_history(
    context: dg.AssetExecutionContext, runtime: dg.ResourceParam[Runtime]
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Compute the days of the run's partitions."""
    key = context.asset_key_for_output("library_history")
    partitions = context.partition_key_range
    first, last = (date.fromisoformat(day) for day in (partitions.start, partitions.end))
    with as_dagster_failure(), runtime.database() as engine:
        days = record_days(engine, first, last, lease=runtime.lease)
        runtime.report(days)
        for day in sorted({row.day for row in days}):
            metadata = _day_metadata([row for row in days if row.day == day])
            context.add_asset_metadata(metadata, asset_key=key, partition_key=day.isoformat())
        yield dg.MaterializeResult(key)
        yield days_add_up(engine, key)


def beginning_on(first_day: date) -> Callable[[dg.AssetSpec], dg.AssetSpec]:
    """Return a function that makes the partitions of `library_history` begin on `first_day`."""

    def apply(spec: dg.AssetSpec) -> dg.AssetSpec:
        return spec.replace_attributes(partitions_def=days_from(first_day)) if spec.partitions_def else spec

    return apply


# It reads media_items as well. That is no dependency here, because each sync makes a new version of them, and Dagster
# would call the report, which is drawn once a day, "Unsynced" nearly all the time.
@dg.asset(
    deps=["library_history"],
    group_name="history",
    kinds={"python", "pandas", "matplotlib"},
    owners=OWNERS,
)
def library_report(runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
    """Pictures of the library: growth, additions and deletions, how soon changes are reflected, what items there are.

    Materialise this asset to draw them again. Its metadata begins with small pictures; `report` shows the large ones,
    and `folder` holds them as files.
    """
    # These modules are slow to load, and no other asset needs them.
    from jwp_pipeline.history.pictures import draw, save
    from jwp_pipeline.history.report import read_report
    from jwp_pipeline.history.unfolded import unfolded

    with as_dagster_failure(), runtime.database() as engine:
        report = read_report(engine)
        folder = runtime.settings().jwp_home.resolve() / "reports" / datetime.now(UTC).date().isoformat()
    pictures = draw(report)
    save(pictures, folder)
    pieces = [picture.markdown for picture in pictures]
    if report.days_to_compute:
        pieces.insert(
            0,
            f"**Days of the change log that the first two pictures lack: {report.days_to_compute}.** Materialise "
            f"`library_history` from {report.first_to_compute} to {report.last_to_compute}, then this asset again.",
        )
    return dg.MaterializeResult(
        metadata={
            **{name: dg.MetadataValue.md(text) for name, text in unfolded(report).items()},
            "report": dg.MetadataValue.md("\n\n".join(pieces)),
            "folder": dg.MetadataValue.path(str(folder)),
            "pictures": len(pictures),
            "days": int(report.days["day"].nunique()),
            "days_to_compute": report.days_to_compute,
            "media_items": int(report.media_types.sum()),
            "open_problems": int(report.problems.sum()),
            **({"median_seconds_to_reflect": round(float(report.waits.median()), 1)} if report.waits.size else {}),
        }
    )


def _day_metadata(rows: Sequence[Day]) -> dict[str, Any]:
    """Return the numbers of a day, which Dagster plots over the days, without those that are not known."""
    numbers: dict[str, Any] = {f"{row.type}s_{name}": getattr(row, name) for row in rows for name in _NUMBERS}
    for row in rows:
        if row.type == "video":
            numbers |= {"hours": row.hours, "storage_bytes": row.storage_bytes}
    return {
        **{name: value for name, value in numbers.items() if value is not None},
        "dagster/partition_row_count": len(rows),
        "rows_written": sum(row.written for row in rows),
        "complete": all(row.complete for row in rows),
        "note": " ".join(f"{row.type}s: {row.note}" for row in rows if row.note) or "none",
    }
