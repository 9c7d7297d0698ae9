"""The asset `settings`: the effective configuration and its checks, one of which stops a run that could not use it.

Put here how settings are shown; settings.py declares them.
"""

import dagster as dg

from jwp_pipeline.env_file import env_file
from jwp_pipeline.environment import oddities
from jwp_pipeline.errors import SettingsError
from jwp_pipeline.orchestration.checks.results import WARN, check_result, check_spec
from jwp_pipeline.orchestration.checks.settings import unusable_settings
from jwp_pipeline.orchestration.markdown import markdown_table
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
        ),
        check_spec(
            "no_setting_is_ignored",
            "settings",
            "Every name in .env and the environment that looks like a setting is one, and none has two different "
            "values.",
        ),
    ],
)
def settings(runtime: dg.ResourceParam[Runtime]) -> dg.MaterializeResult:
    """The effective configuration of this site, with secrets masked."""
    ignored: list[str] = []
    try:
        effective = runtime.settings()
        shown, problems = effective.redacted(), unusable_settings(effective)
        ignored = oddities()
    except SettingsError as error:
        shown, problems = {}, {"settings": str(error)}
    read_from = env_file().description
    told = "; ".join(f"{name} {problem}" for name, problem in problems.items())
    if told and read_from not in told:
        told = f"{told}. {read_from}"
    rows = ((f"`{name}`", "" if value is None else f"`{value}`") for name, value in shown.items())
    hints = "\n".join(f"- `{name}` {problem}" for name, problem in problems.items())
    return dg.MaterializeResult(
        metadata={
            "configuration": dg.MetadataValue.md(markdown_table(("setting", "value"), rows)),
            "missing": len(problems),
        },
        check_results=[
            check_result(
                "required_settings",
                told,
                well=f"All are set. {read_from}",
                metadata={"missing": dg.MetadataValue.md(hints or "none")},
            ),
            check_result(
                "no_setting_is_ignored",
                " ".join(ignored),
                well="Every name that looks like a setting is one, and none has two different values.",
                metadata={"ignored": len(ignored)},
                severity=WARN,
            ),
        ],
    )
