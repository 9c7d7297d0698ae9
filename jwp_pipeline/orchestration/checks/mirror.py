"""Results of the mirror's checks, from what a run reports. Not here: what is checked when (mirror.py)."""

from collections.abc import Mapping, Sequence

import dagster as dg
from sqlalchemy import Engine

from jwp_pipeline.database.connection import connect
from jwp_pipeline.errors import SnapshotQuarantined
from jwp_pipeline.jwplatform.management import RESOURCE_TYPES
from jwp_pipeline.mirror import snapshots
from jwp_pipeline.mirror.apply import Applied
from jwp_pipeline.mirror.landing import Listing
from jwp_pipeline.orchestration.checks.results import ERROR, OPEN_PROBLEMS, WARN, check_result


def verified(listing: Listing) -> dg.AssetCheckResult:
    """The check of a raw snapshot."""
    return check_result(
        "verified",
        listing.problem,
        well=f"Complete: {listing.key_count} of {listing.expected_total}.",
        metadata={"snapshot_id": listing.snapshot_id, "attempts": listing.attempts},
        severity=WARN,
    )


def still_quarantined(engine: Engine) -> dict[int, str]:
    """Id of each snapshot that waits to be released → what it is."""
    with connect(engine) as connection:
        pending = [snapshots.pending(connection, resource_type) for resource_type in RESOURCE_TYPES]
    return {
        snapshot.id: f"Snapshot {snapshot.id} of {snapshot.resource_type}s is quarantined: {snapshot.problem}."
        for snapshot in pending
        if snapshot is not None and snapshot.status == "quarantined"
    }


def nothing_quarantined(
    key: dg.AssetKey, refused: Sequence[SnapshotQuarantined], outcomes: Sequence[Applied], waiting: Mapping[int, str]
) -> dg.AssetCheckResult:
    """The check of that name, of what this run found and of what waited before it."""
    found = dict(waiting) | {error.snapshot_id: str(error) for error in refused}
    # A dry run puts nothing in quarantine; it says what the next sync would do.
    for outcome in outcomes:
        if outcome.plan and outcome.refusal:
            snapshot = f"snapshot {outcome.plan.snapshot_id} of {outcome.resource_type}s"
            found[outcome.plan.snapshot_id] = f"The guard would refuse {snapshot}: {outcome.refusal}."
    return check_result(
        "nothing_quarantined",
        " ".join(found.values()),
        well="Nothing waits to be released.",
        metadata={"snapshots": list(found)},
        key=key,
    )


def live_rows_equal_listing(key: dg.AssetKey, outcomes: Sequence[Applied]) -> dg.AssetCheckResult:
    """The check of that name."""
    compared = [outcome for outcome in outcomes if outcome.listed is not None]
    apart = [outcome for outcome in compared if outcome.live != outcome.listed]
    # Where nothing was applied, the run that did has said why.
    explained = all(outcome.plan is None or outcome.plan.spared or outcome.plan.problems for outcome in apart)
    found = "; ".join(
        f"{outcome.live} {outcome.resource_type}s are live, {outcome.listed} were listed"
        + (f", {outcome.plan.spared} missing ones were spared" if outcome.plan and outcome.plan.spared else "")
        for outcome in apart
    )
    return check_result(
        "live_rows_equal_listing",
        found,
        well="They are equal."
        if len(compared) == len(outcomes)
        else "Nothing to compare with: not every last applied read was a complete listing.",
        metadata={f"{outcome.resource_type}s_live": outcome.live for outcome in outcomes},
        key=key,
        severity=WARN if explained else ERROR,
    )


def no_open_problems(key: dg.AssetKey, outcomes: Sequence[Applied]) -> dg.AssetCheckResult:
    """The check of that name."""
    count = sum(outcome.open_problems for outcome in outcomes)
    return check_result(
        "no_open_problems",
        f"{count} open: {OPEN_PROBLEMS}" if count else None,
        well="None.",
        metadata={"open": count},
        key=key,
        severity=WARN,
    )
