"""`jwp-pipeline worker`: becomes a Celery worker that executes the runs of the configured site.

Put here how a worker is started. orchestration/workers/ says what it executes.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import NoReturn

from jwp_pipeline.environment import child_environment
from jwp_pipeline.errors import SettingsError
from jwp_pipeline.settings import Settings


def become_worker(settings: Settings, queue: str | None) -> NoReturn:
    """Replace this process with a worker for the queue, or else for that of the site. Raises SettingsError.

    SIGTERM lets the worker finish its run.
    """
    if find_spec("dagster_celery") is None:
        raise SettingsError("Workers need Celery, which is not installed: install jwp-pipeline[celery].")
    from jwp_pipeline.orchestration.workers.broker import broker_url

    broker_url(settings)
    if not os.environ.get("DAGSTER_HOME"):
        raise SettingsError(
            "DAGSTER_HOME is not set: set it to a folder with the dagster.yaml that Dagster's daemon uses "
            "(docs/deploy.md)."
        )
    queue = queue or settings.code_location
    command = ["celery", "--app", "jwp_pipeline.orchestration.workers.app", "--quiet", "worker", "--loglevel", "INFO"]
    # Names have to differ, even of two workers of a site on one machine: Dagster asks a worker by its name.
    command += ["--queues", queue, "--hostname", f"{queue}-{os.getpid()}@%h", "--without-gossip", "--without-mingle"]
    os.execve(sys.executable, [sys.executable, "-m", *command], child_environment(settings))  # noqa: S606 - ourselves
