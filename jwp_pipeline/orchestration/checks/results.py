"""Makes the specifications and results of all our asset checks, so that each names its page of the runbook.

Put here how a check is made; the module of its group decides what is checked.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from jwp_pipeline.runbook import check_text

OPEN_PROBLEMS = "SELECT * FROM sync_problems WHERE resolved_at IS NULL"
WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR


def check_spec(
    name: str, asset: str, description: str, *, blocking: bool = False, after: Sequence[str] = ()
) -> dg.AssetCheckSpec:
    """Return the specification of a check of `asset`. If a blocking check fails, it stops the run.

    A check that is a step of its own may have to run `after` other assets, too.
    """
    return dg.AssetCheckSpec(
        name, asset=asset, description=check_text(name, description), blocking=blocking, additional_deps=after
    )


def check_result(
    name: str,
    found: str | None,
    *,
    well: str,
    metadata: Mapping[str, Any],
    key: dg.AssetKey | None = None,
    severity: dg.AssetCheckSeverity = ERROR,
) -> dg.AssetCheckResult:
    """Return a result that has failed with the text `found`, or passed with the text `well` if nothing was found.

    `key` is needed if an op has several assets.
    """
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=name,
        passed=not found,
        severity=severity,
        description=check_text(name, found) if found else well,
        metadata=metadata,
    )
