"""Specifies the checks of the record, and evaluates them from the report of a sync and from the tables.

Put here what a violation means for a run; the queries are in media/checks.py.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import dagster as dg
from sqlalchemy import Engine

from jwp_pipeline.database.connection import connect
from jwp_pipeline.database.status import TypeStatus, read_status
from jwp_pipeline.media.checks import CHECKS, Check, run_checks
from jwp_pipeline.media.options import MediaOptions
from jwp_pipeline.media.report import MediaAsset, MediaReport, Violations
from jwp_pipeline.orchestration.checks.results import ERROR, OPEN_PROBLEMS, WARN, check_result, check_spec
from jwp_pipeline.orchestration.markdown import markdown_table

SPECS = (
    *(check_spec(check.name, check.asset, check.description) for check in CHECKS),
    check_spec(
        "in_step",
        "media_items",
        "In step with JW Platform: a recent verified listing has been applied and followed, "
        "and nothing stands in the way. View sync_status says the same.",
    ),
    check_spec(
        "none_became_public",
        "media_items",
        "No item that was not public became public in this sync. Lists those that did.",
    ),
    check_spec(
        "every_field_was_read",
        "media_items",
        "No field of a video or channel is unreadable, has vanished or is claimed twice (table sync_problems).",
    ),
)


def check_results(
    engine: Engine,
    report: MediaReport,
    options: MediaOptions,
    max_age: timedelta,
    keys: dict[MediaAsset, dg.AssetKey],
) -> Iterator[dg.AssetCheckResult]:
    """Evaluate every check of the record after a sync. `keys` holds the asset keys by asset name."""
    with connect(engine) as connection:
        found = run_checks(connection, report, options.create_items)
        statuses = read_status(connection)
    for check in CHECKS:
        yield _result(check, found[check.name], report, keys[check.asset])
    yield in_step(statuses, max_age, keys["media_items"])
    public, problems = report.became_public, report.open_problems
    yield check_result(
        "none_became_public",
        f"{public.count} items that were not public are public since this sync." if public.count else None,
        well="No item that was there before became public in this sync.",
        metadata={"items": public.count, "first": [f"{item_id}: {title}" for item_id, title in public.sample]},
        key=keys["media_items"],
        severity=WARN,
    )
    table = markdown_table(("field", "open"), ((name, str(count)) for name, count in problems.items()))
    yield check_result(
        "every_field_was_read",
        f"{sum(problems.values())} problems are open. To see them: {OPEN_PROBLEMS}" if problems else None,
        well="Every field of every video and channel was read, and nothing is claimed twice.",
        metadata={
            "open": sum(problems.values()),
            "by_field": dg.MetadataValue.md(table),
        },
        key=keys["media_items"],
        severity=WARN,
    )


def in_step(statuses: Sequence[TypeStatus], max_age: timedelta, key: dg.AssetKey) -> dg.AssetCheckResult:
    """Evaluate check `in_step`."""
    troubles = [trouble for status in statuses if (trouble := status.trouble(max_age))]
    since = min((status.in_step_as_of for status in statuses if status.in_step_as_of), default=None)
    return check_result(
        "in_step",
        "; ".join(troubles),
        well=f"In step as of {since:%Y-%m-%d %H:%M:%S} UTC." if since else "",
        metadata={
            **{f"{status.resource_type}s_live": status.live for status in statuses},
            **{f"{status.resource_type}s_behind": status.behind for status in statuses},
        },
        key=key,
        severity=WARN,
    )


def _result(check: Check, violations: Violations, report: MediaReport, key: dg.AssetKey) -> dg.AssetCheckResult:
    # A check that did not look says so.
    since = (
        f" (Nothing was written since {report.followed_at:%Y-%m-%d %H:%M:%S} UTC, when this was looked at.)"
        if report.known_violations is not None and report.followed_at is not None
        else ""
    )
    return check_result(
        check.name,
        f"{violations.count} {check.broken}: {', '.join(violations.sample)}{since}" if violations.count else None,
        well=f"{check.kept}{since}",
        metadata={"count": violations.count, "first": list(violations.sample)},
        key=key,
        severity=ERROR if check.serious else WARN,
    )
