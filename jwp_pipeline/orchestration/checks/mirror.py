"""Evaluates the checks of the mirror from the reports of a run and from the tables.

Put here what a finding means for a run. `nothing_withheld` is a step of its own and the last one of a sync, so that
withheld deletions fail the run only after everything else has followed.
"""

from collections.abc import Iterator, Mapping, Sequence

import dagster as dg
from sqlalchemy import Engine

from jwp_pipeline.database.connection import connect
from jwp_pipeline.database.status import read_status
from jwp_pipeline.errors import DeletionsWithheld, SnapshotQuarantined
from jwp_pipeline.jwplatform.management import RESOURCE_TYPES
from jwp_pipeline.media.report import MEDIA_ASSETS
from jwp_pipeline.mirror import snapshots
from jwp_pipeline.mirror.apply import Applied
from jwp_pipeline.mirror.landing import Listing
from jwp_pipeline.orchestration.checks.results import ERROR, OPEN_PROBLEMS, WARN, check_result, check_spec
from jwp_pipeline.orchestration.failures import as_dagster_failure
from jwp_pipeline.orchestration.runtime import Runtime

NOTHING_WITHHELD = "nothing_withheld"


@dg.multi_asset_check(
    name=NOTHING_WITHHELD,
    specs=[
        check_spec(
            NOTHING_WITHHELD,
            "cached_resources",
            "No deletion waits for somebody to release it. This is the last step of a sync, and fails it if one does.",
            after=MEDIA_ASSETS,
        )
    ],
)
def nothing_withheld(
    context: dg.AssetCheckExecutionContext, runtime: dg.ResourceParam[Runtime]
) -> Iterator[dg.AssetCheckResult]:
    """Fail the run, without a retry, if the guard withholds deletions."""
    with as_dagster_failure(), runtime.database() as engine, connect(engine) as connection:
        withheld = [status for status in read_status(connection) if status.withheld_snapshot is not None]
    (key,) = {check.asset_key for check in context.selected_asset_check_keys}
    found = " ".join(f"Deletions are withheld: {status.withheld_text}." for status in withheld)
    yield check_result(
        NOTHING_WITHHELD,
        found,
        well="No deletion is withheld.",
        metadata={"snapshots": [status.withheld_snapshot for status in withheld]},
        key=key,
    )
    if withheld and withheld[0].withheld_snapshot is not None:
        with as_dagster_failure():
            raise DeletionsWithheld(found, withheld[0].withheld_snapshot)


def verified(listing: Listing) -> dg.AssetCheckResult:
    """Evaluate check `verified` of a raw snapshot."""
    return check_result(
        "verified",
        listing.problem,
        well=f"Complete: {listing.key_count} of {listing.expected_total}.",
        metadata={"snapshot_id": listing.snapshot_id, "attempts": listing.attempts},
        severity=WARN,
    )


def still_quarantined(engine: Engine) -> dict[int, str]:
    """Return the id of each snapshot that waits to be released → a sentence about it."""
    with connect(engine) as connection:
        pending = [snapshots.pending(connection, resource_type) for resource_type in RESOURCE_TYPES]
    return {
        snapshot.id: f"Snapshot {snapshot.id} of {snapshot.resource_type}s is quarantined: {snapshot.problem}."
        for snapshot in pending
        if snapshot is not None and snapshot.status == "quarantined"
    }


def refusal_of(outcome: Applied) -> SnapshotQuarantined | None:
    """Return the error for a snapshot that the guard refused, or None if it did not."""
    if outcome.verdict.refusal is None or outcome.snapshot_id is None:
        return None
    return SnapshotQuarantined(
        f"The guard refused snapshot {outcome.snapshot_id} of {outcome.resource_type}s: {outcome.verdict.refusal}. "
        "Nothing was changed. Look at it with `jwpfetch --skip-fetch --dry-run`. If the library really is like that, "
        f"apply it once with `jwpfetch --release {outcome.snapshot_id}`; if not, wait for the next good listing.",
        outcome.snapshot_id,
    )


def nothing_quarantined(
    key: dg.AssetKey, outcomes: Sequence[Applied], waiting: Mapping[int, str]
) -> dg.AssetCheckResult:
    """Evaluate check `nothing_quarantined`, from the outcomes of this run and the snapshots that wait for a release."""
    found = dict(waiting)
    for outcome in outcomes:
        if error := refusal_of(outcome):
            snapshot = f"snapshot {error.snapshot_id} of {outcome.resource_type}s"
            # A dry run quarantines nothing, so it reports what the next sync would do.
            would = f"The guard would refuse {snapshot}: {outcome.verdict.refusal}."
            found[error.snapshot_id] = would if outcome.dry_run else str(error)
    return check_result(
        "nothing_quarantined",
        " ".join(found.values()),
        well="No snapshot waits to be released.",
        metadata={"snapshots": list(found)},
        key=key,
    )


def deletions_confirmed(key: dg.AssetKey, outcomes: Sequence[Applied]) -> dg.AssetCheckResult:
    """Evaluate check `deletions_confirmed`: JW Platform has confirmed that everything its listings miss is gone."""
    counted = {f"{outcome.resource_type}s_unconfirmed": outcome.missing for outcome in outcomes}
    found = [
        f"{outcome.missing} live {outcome.resource_type}s are missing from JW Platform's listing, and it has not "
        "confirmed that they are gone, so they stay live"
        for outcome in outcomes
        if outcome.missing and outcome.verdict.may_delete
    ]
    found += [outcome.plan.asking_stopped for outcome in outcomes if outcome.plan and outcome.plan.asking_stopped]
    return check_result(
        "deletions_confirmed",
        "; ".join(found) + "." if found else None,
        well="Every row that is missing from the listings is confirmed as gone, or its deletion is withheld.",
        metadata=counted,
        key=key,
        severity=WARN,
    )


def live_rows_equal_listing(key: dg.AssetKey, outcomes: Sequence[Applied]) -> dg.AssetCheckResult:
    """Evaluate check `live_rows_equal_listing`."""
    compared = [outcome for outcome in outcomes if outcome.listed is not None]
    # The index may show what a push created only after a while.
    apart = [each for each in compared if each.live - each.missing - each.never_listed != each.listed]
    # If this run has applied nothing, an earlier one has reported the cause.
    explained = all(outcome.plan is None or outcome.plan.problems for outcome in apart)
    found = "; ".join(
        f"{outcome.live} {outcome.resource_type}s are live"
        + (f", {outcome.missing} of them missing from the listing" if outcome.missing else "")
        + (f", {outcome.never_listed} of them pushed and not listed yet" if outcome.never_listed else "")
        + f", and {outcome.listed} were listed"
        for outcome in apart
    )
    return check_result(
        "live_rows_equal_listing",
        found,
        well="The live rows are those that were listed."
        if len(compared) == len(outcomes)
        else "There is nothing to compare with: not every last applied read was a complete listing.",
        metadata={f"{outcome.resource_type}s_live": outcome.live for outcome in outcomes},
        key=key,
        severity=WARN if explained else ERROR,
    )


def no_open_problems(key: dg.AssetKey, outcomes: Sequence[Applied]) -> dg.AssetCheckResult:
    """Evaluate check `no_open_problems`."""
    count = sum(outcome.open_problems for outcome in outcomes)
    return check_result(
        "no_open_problems",
        f"{count} open: {OPEN_PROBLEMS}" if count else None,
        well="Everything could be stored as JW Platform sent it.",
        metadata={"open": count},
        key=key,
        severity=WARN,
    )
