"""The checks of the outbox: they read the tables, in each push and in each sync that a schedule or sensor starts."""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from jwp_pipeline.database.connection import connect
from jwp_pipeline.orchestration.checks.results import WARN, check_result, check_spec
from jwp_pipeline.orchestration.failures import as_dagster_failure
from jwp_pipeline.orchestration.jobs import OUTBOX_CHECKS
from jwp_pipeline.orchestration.markdown import cell, markdown_table
from jwp_pipeline.orchestration.runtime import Runtime
from jwp_pipeline.outbox.report import StuckEdit, read_outbox, stuck_edits
from jwp_pipeline.outbox.review import why_not_pushed

LONGEST_WAIT = timedelta(minutes=15)
"""A push follows an edit in seconds. What waits longer is held up by something that a person should know of."""

EDITS_ARRIVE, NO_CONFLICTS, NO_REFUSED_EDITS = OUTBOX_CHECKS
_SHOWN = 20


@dg.multi_asset_check(
    name="outbox_checks",
    specs=[
        check_spec(
            EDITS_ARRIVE,
            "jwp_updates",
            f"No edit has waited longer than {LONGEST_WAIT.seconds // 60} minutes for its way to JW Platform.",
        ),
        check_spec(
            NO_CONFLICTS,
            "jwp_updates",
            "No field was changed here and at JW Platform. Shows both values of each one that was.",
        ),
        check_spec(
            NO_REFUSED_EDITS,
            "jwp_updates",
            "JW Platform took every edit and every new item. Shows those that it did not.",
        ),
    ],
)
def outbox_checks(
    context: dg.AssetCheckExecutionContext, runtime: dg.ResourceParam[Runtime]
) -> Iterator[dg.AssetCheckResult]:
    """Look for edits that wait too long, are in conflict or are refused."""
    (key,) = {check.asset_key for check in context.selected_asset_check_keys}
    with as_dagster_failure(), runtime.database() as engine, connect(engine) as connection:
        outbox = read_outbox(connection)
        held_up = why_not_pushed(connection, runtime.settings()) if outbox.waiting else None
        conflicts = stuck_edits(connection, "conflict", _SHOWN) if outbox.conflicts else []
        refused = stuck_edits(connection, "refused", _SHOWN) if outbox.refused else []
    waits = outbox.oldest_seconds or 0.0
    late = f"{outbox.waiting} items wait, the first for {timedelta(seconds=round(waits))}"
    yield check_result(
        EDITS_ARRIVE,
        f"{late}. {held_up or 'See why the last run of job `push` failed.'}"
        if waits > LONGEST_WAIT.total_seconds()
        else None,
        well="No edit waits." if not outbox.waiting else f"{late}.",
        metadata={"waiting": outbox.waiting, "oldest_seconds": waits},
        key=key,
        severity=WARN,
    )
    yield check_result(
        NO_CONFLICTS,
        f"{outbox.conflicts} fields were changed here and at JW Platform. Decide with "
        "`jwp-pipeline resolve ITEM FIELD ours|theirs`."
        if conflicts
        else None,
        well="No field was changed on both sides.",
        metadata={"conflicts": outbox.conflicts, "fields": dg.MetadataValue.md(_table(conflicts))},
        key=key,
        severity=WARN,
    )
    yield check_result(
        NO_REFUSED_EDITS,
        f"{outbox.refused} fields or new items are refused: {refused[0].problem}" if refused else None,
        well="Nothing is refused.",
        metadata={"refused": outbox.refused, "fields": dg.MetadataValue.md(_table(refused))},
        key=key,
        severity=WARN,
    )


def _table(edits: list[StuckEdit]) -> str:
    return markdown_table(
        ("item", "field", "here", "at JW Platform", "problem"),
        ((f"`{edit.item_id}`", edit.field, cell(edit.ours), cell(edit.theirs), cell(edit.problem)) for edit in edits),
    )
