"""Hands runs to Celery workers, each to the queue of its site, and notices if a worker is lost.

dagster.yaml names the class in this module. dagster-celery does the work. What is added to it was found by killing
workers and Redis: without it, the run of a lost worker looks healthy until its longest time is over (dagster#33493),
and a run is given up although only Redis has lost its data.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dagster as dg
from celery import Task
from celery.result import denied_join_result
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_QUEUE_TAG, DAGSTER_CELERY_TASK_ID_TAG
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from jwp_pipeline.orchestration.dagster_private import (
    CheckRunHealthResult,
    ConfigurableClassData,
    DagsterUserCodeUnreachableError,
    WorkerStatus,
)
from jwp_pipeline.orchestration.workers.broker import options
from jwp_pipeline.settings import load_settings

# A worker answers at once, even while it executes a run, because another of its processes does that.
_ANSWER_SECONDS = 3.0
# How often in a row nobody may know a run before it is given up.
_LOOKS = 3
# Workers come back to a Redis that was away after up to half a minute.
_RETURN_SECONDS = 60.0


class WorkerLauncher(CeleryRunLauncher):
    """Runs each run in a worker of its site, which listens to the queue named after the site's code location."""

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        shared = options(load_settings())
        url = shared["broker_url"]
        super().__init__("jwp_pipeline", broker=url, backend=url, config_source=shared, inst_data=inst_data)
        self._unknown: dict[str, int] = {}
        """How often in a row no worker knew a run."""
        self._patient_until = 0.0

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Return an empty configuration schema, because our settings hold everything."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> WorkerLauncher:
        """Make the launcher when Dagster loads dagster.yaml. Raises SettingsError."""
        return cls(inst_data=inst_data)

    def _launch_celery_task_run(self, run: dg.DagsterRun, task_signature: Task, routing_key: str) -> None:
        """Send a run to its queue. If Redis is away, the run goes back to Dagster's queue, and is sent later."""
        # The tags come first, because a worker may begin at once. A retry inherits the tags of the run before it, so
        # the id of its task has to be its own.
        tags = {
            DAGSTER_CELERY_QUEUE_TAG: run.tags.get(DAGSTER_CELERY_QUEUE_TAG) or _location_of(run) or self.default_queue,
            DAGSTER_CELERY_TASK_ID_TAG: run.run_id,
        }
        self._instance.add_run_tags(run.run_id, tags)
        signature = task_signature.set(task_id=run.run_id)
        try:
            # Nobody here waits for the result of a task, so that Celery need not subscribe to it. If Redis went away,
            # it could not do so again.
            with self._noting_outages(), denied_join_result():
                super()._launch_celery_task_run(run.with_tags({**run.tags, **tags}), signature, routing_key)
        except (OperationalError, RedisError) as error:
            raise DagsterUserCodeUnreachableError(
                "Redis, by which workers get their runs (JWP_CELERY_URL), cannot be reached: "
                f"{type(error).__name__}. The run is sent again later."
            ) from None

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Return whether the worker of a started run is still there.

        Raises an error if Redis cannot be reached; Dagster logs it, and leaves the run alone.
        """
        with self._noting_outages():
            health = super().check_run_worker_health(run)
            is_over = health.status in (WorkerStatus.SUCCESS, WorkerStatus.FAILED)
            is_known = is_over or self._is_known(run.run_id)
        if is_known:
            self._unknown.pop(run.run_id, None)
            return health if is_over else CheckRunHealthResult(WorkerStatus.RUNNING)
        if time.monotonic() < self._patient_until:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        self._unknown[run.run_id] = self._unknown.get(run.run_id, 0) + 1
        if self._unknown[run.run_id] < _LOOKS:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        del self._unknown[run.run_id]
        return CheckRunHealthResult(
            WorkerStatus.FAILED,
            f"No worker knows this run any more, asked {_LOOKS} times: its worker was killed, or its machine was "
            "stopped or cut off.",
        )

    def terminate(self, run_id: str) -> bool:
        """Interrupt a run as Ctrl-C would, and return whether that was asked for. The run itself reports its end."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        self._instance.report_run_canceling(run)
        self.celery.control.revoke(run_id, terminate=True, signal="SIGINT")
        return True

    def _is_known(self, run_id: str) -> bool:
        """Ask the worker that began the run, or all if Redis has forgotten which one it was."""
        info = self.celery.AsyncResult(run_id).info
        host = info.get("hostname") if isinstance(info, dict) else None
        where: dict[str, Any] = {"destination": [host], "limit": 1} if host else {}
        answers = self.celery.control.inspect(timeout=_ANSWER_SECONDS, **where).query_task(run_id) or {}
        return any(run_id in tasks for tasks in answers.values())

    @contextmanager
    def _noting_outages(self) -> Iterator[None]:
        """Be patient with workers for a while after Redis could not be reached."""
        try:
            yield
        except (OperationalError, RedisError):
            self._patient_until = time.monotonic() + _RETURN_SECONDS
            self._unknown.clear()
            raise


def _location_of(run: dg.DagsterRun) -> str | None:
    origin = run.remote_job_origin
    return origin.location_name if origin else None
