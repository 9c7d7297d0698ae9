"""Asset settings: the effective configuration, and the check that stops a run which could not work with it.

Not here: what settings there are (settings.py).
"""

import dagster as dg

from jwp_pipeline.errors import SettingsError
from jwp_pipeline.orchestration.checks.results import check_result, check_spec
from jwp_pipeline.orchestration.checks.settings import unusable_settings
from jwp_pipeline.orchestration.metadata import OWNERS
from jwp_pipeline.orchestration.runtime import Runtime


@dg.asset(
    group_name="settings",
    kinds={"python"},
    owners=OWNERS,
    check_specs=[
        check_spec(
            "required_settings",
            "settings",
            "Every required setting is set and readable. Stops the run before anything is fetched.",
            blocking=True,
        )
    ],
)
def settings(runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
    """The effective configuration of this site, secrets masked."""
    try:
        effective = runtime.settings()
        shown, problems = effective.redacted(), unusable_settings(effective)
    except SettingsError as error:
        shown, problems = {}, {"settings": str(error)}
    rows = "\n".join(f"| `{name}` | {'' if value is None else f'`{value}`'} |" for name, value in shown.items())
    hints = "\n".join(f"- `{name}` {problem}" for name, problem in problems.items())
    return dg.MaterializeResult(
        metadata={
            "configuration": dg.MetadataValue.md(f"| setting | value |\n|---|---|\n{rows}"),
            "missing": len(problems),
        },
        check_results=[
            check_result(
                "required_settings",
                "; ".join(f"{name} {problem}" for name, problem in problems.items()),
                well="All are set.",
                metadata={"missing": dg.MetadataValue.md(hints or "none")},
            )
        ],
    )
