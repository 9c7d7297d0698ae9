"""Puts the status page where people look: on the page of asset `status` in Dagster's UI, and into JWP_HOME.

status/ reads and writes what it says. Put here when and where it is shown.
"""

from __future__ import annotations

from typing import Any

import dagster as dg

from jwp_pipeline.home import keep_in_home
from jwp_pipeline.orchestration.failures import as_database_error
from jwp_pipeline.orchestration.jobs import SITE_TAG
from jwp_pipeline.orchestration.runs import site_of
from jwp_pipeline.orchestration.runtime import Runtime
from jwp_pipeline.status.page import RunLine, as_html, pieces
from jwp_pipeline.status.read import read

STATUS = "status"
"""The name of the asset."""

FILE = "status.html"
_RUNS = 5


def status_metadata(instance: dg.DagsterInstance, runtime: Runtime) -> dict[str, Any]:
    """Read the status, keep it as a file in JWP_HOME, and return it as metadata, which the UI shows unfolded.

    Raises PipelineError.
    """
    settings = runtime.settings()
    with as_database_error(), runtime.database() as engine:
        status = read(engine, settings)
        runs = last_runs(instance, site_of(settings), most=_RUNS)
    file = settings.jwp_home.resolve() / FILE
    keep_in_home(file, as_html(status, runs).encode())
    shown = {name: dg.MetadataValue.md(text) for name, text in pieces(status, runs).items()}
    return {**shown, "page": dg.MetadataValue.path(str(file)), "troubles": dg.MetadataValue.int(len(status.troubles))}


def status_materialization(instance: dg.DagsterInstance, runtime: Runtime) -> dg.AssetMaterialization:
    """Return the same as a materialization of asset `status`, for those who are not in a run of it."""
    key = dg.AssetKey([*runtime.settings().asset_key_prefix, STATUS])
    return dg.AssetMaterialization(key, metadata=status_metadata(instance, runtime))


def last_runs(instance: dg.DagsterInstance, site: str, *, most: int) -> list[RunLine]:
    """Return the last runs of a site, the newest first."""
    records = instance.get_run_records(dg.RunsFilter(tags={SITE_TAG: site}), limit=most)
    return [
        RunLine(
            record.dagster_run.job_name,
            record.dagster_run.status.value,
            record.create_timestamp,
            record.end_time - record.start_time if record.end_time and record.start_time else None,
        )
        for record in records
    ]
