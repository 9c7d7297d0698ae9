"""Asset checks as all of ours are made: one text when all is well, else what was found; each names its runbook page.

Put here how a check is made; what is checked is in the module of its group.
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
    """A check of `asset`; a blocking one stops the run. A step of its own comes `after` other assets, too."""
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
    """Passed, saying `well`, when nothing was found; else failed, saying what was.

    `key` is needed where an op has several assets.
    """
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=name,
        passed=not found,
        severity=severity,
        description=check_text(name, found) if found else well,
        metadata=metadata,
    )
