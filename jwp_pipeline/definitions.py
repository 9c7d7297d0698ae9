"""All that Dagster loads, on one screen. `build_definitions` serves the UI, jwpfetch, the tests and the demo alike.

Loading reads settings for names only (JWP_ASSET_PREFIX, JWP_DATABASE_SCHEMA) and works without any; nothing is
connected to. Importing this module does nothing: workspace.yaml names the function `defs`.
"""

from __future__ import annotations

import dagster as dg

from jwp_pipeline.errors import SettingsError
from jwp_pipeline.orchestration import jobs, media, mirror
from jwp_pipeline.orchestration.runtime import Runtime
from jwp_pipeline.settings import load_settings


def build_definitions(runtime: Runtime | None = None, *, asset_prefix: str | None = None) -> dg.Definitions:
    """A fresh set of definitions on `runtime`; `asset_prefix` ("site" or "a/b") goes before every asset key."""
    prefix = asset_prefix.split("/") if asset_prefix else None
    return dg.Definitions(
        assets=dg.load_assets_from_modules([mirror, media], key_prefix=prefix),
        jobs=[jobs.sync, jobs.full_resync],
        resources={"runtime": runtime or Runtime()},
        # One process a run: a step in a process of its own costs two seconds before it does anything.
        executor=dg.in_process_executor,
    )


def defs() -> dg.Definitions:
    """Entry of workspace.yaml. Unreadable settings are for the `required_settings` check to report."""
    try:
        prefix = load_settings().jwp_asset_prefix
    except SettingsError:
        prefix = None
    return build_definitions(asset_prefix=prefix)
