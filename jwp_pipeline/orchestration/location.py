"""Records the runs that a command executes itself as runs of the code location, where the UI looks for them.

The UI's timeline and the page of a job have only runs that name a code location. Put here what makes a run of ours look
like one that the UI, a schedule or a sensor has launched.
"""

from __future__ import annotations

from typing import Any

import dagster as dg

from jwp_pipeline.identity import current_process
from jwp_pipeline.orchestration.dagster_private import (
    SINGLETON_REPOSITORY_NAME,
    RegisteredCodeLocationOrigin,
    RemoteRepositoryOrigin,
)
from jwp_pipeline.orchestration.jobs import COMMAND_TAG
from jwp_pipeline.settings import Settings


def record_in_location(instance: dg.DagsterInstance, settings: Settings) -> None:
    """Make `instance` record every run that it creates as one of a command, in the code location of the site.

    `JobDefinition.execute_in_process` has no argument for the code location, but it lets the instance create the run.
    """
    repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(settings.code_location), SINGLETON_REPOSITORY_NAME)
    create = instance.create_run_for_job

    def create_run_for_job(job_def: dg.JobDefinition, *, tags: dict[str, str], **given: Any) -> dg.DagsterRun:
        return create(
            job_def,
            tags={**tags, COMMAND_TAG: current_process()},
            remote_job_origin=repository.get_job_origin(job_def.name),
            **given,
        )

    instance.create_run_for_job = create_run_for_job  # type: ignore[method-assign,assignment]
