"""Fixtures with a simulated site, our tables and a Dagster instance, to evaluate sensors and schedules and run jobs."""

from functools import cached_property, partial

import dagster as dg
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._core.storage.tags import RUN_KEY_TAG, SENSOR_NAME_TAG
from dagster._core.test_utils import create_run_for_test

from jwp_pipeline.database.leases import TOLERANCE
from jwp_pipeline.definitions import build_definitions
from jwp_pipeline.orchestration.jobs import SITE_TAG
from jwp_pipeline.orchestration.runs import site_of
from jwp_pipeline.orchestration.runtime import Runtime, as_resource
from jwp_pipeline_tests.support import Site, unset_all_settings

FETCH = ("raw_videos", "raw_channels", "cached_resources", "resource_changes")
"""The assets of the mirror."""
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class DagsterSite(Site):
    """One site as its code location sees it, with a Dagster instance."""

    def __init__(self, engine, simulator, api="v2", *, instance, **options):
        super().__init__(engine, simulator, api, **options)
        self.instance = instance
        self.tolerance = TOLERANCE

    @property
    def definitions(self):
        return build_definitions(Runtime(settings=self.effective), settings=self.effective())

    def sensor(self, name, *, cursor=None):
        """Evaluate one tick of a sensor, and return it with its run requests or why it skipped, and its cursor."""
        (sensor,) = [sensor for sensor in self._sensors if sensor.name == name]
        with dg.build_sensor_context(
            self.instance, cursor=cursor, resources=self._resources, sensor_name=name
        ) as context:
            return sensor.evaluate_tick(context)

    @property
    def _resources(self):
        return {"runtime": as_resource(Runtime(settings=self.effective, tolerance=self.tolerance))}

    @cached_property
    def _sensors(self):
        return build_definitions().sensors

    def schedule(self, name, at=None):
        """Evaluate one tick of a schedule, and return it."""
        (schedule,) = [schedule for schedule in self.definitions.schedules if schedule.name == name]
        with dg.build_schedule_context(
            self.instance, resources=self._resources, scheduled_execution_time=at
        ) as context:
            return schedule.evaluate_tick(context)

    def run(self, job, *assets, tags=None, definitions=None, **config):
        """Run a job, or only these assets of it, to its end. `config` holds the configuration of ops by their names."""
        return (
            (definitions or self.definitions)
            .resolve_job_def(job)
            .execute_in_process(
                instance=self.instance,
                asset_selection=[dg.AssetKey(asset) for asset in assets] or None,
                run_config={"ops": config, **QUIET},
                tags=tags,
                raise_on_error=False,
            )
        )

    def obey(self, tick, sensor, job):
        """Run what a sensor's tick requests, each key only once, as the daemon does. Returns the number of runs."""
        done = 0
        for request in tick.run_requests:
            tags = {SENSOR_NAME_TAG: sensor, RUN_KEY_TAG: request.run_key}
            if not self.instance.get_runs(dg.RunsFilter(tags=tags)):
                self.run(job, tags={**request.tags, **tags})
                done += 1
        return done

    def pretended_run(self, job, status=dg.DagsterRunStatus.STARTED, **tags):
        """Record a run in the instance, as if it was launched from our code location, without executing it."""
        origin = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("jwp_pipeline"), "__repository__")
        tags = {SITE_TAG: site_of(self.effective()), **tags}
        return create_run_for_test(
            self.instance, job_name=job, status=status, tags=tags, remote_job_origin=origin.get_job_origin(job)
        )


@pytest.fixture
def make_site(engine, simulator, tables_url, monkeypatch, tmp_path):
    """Return a function that makes a site from a Dagster instance. There are no other settings and no runs."""
    monkeypatch.chdir(tmp_path)
    unset_all_settings(monkeypatch)
    return partial(DagsterSite, engine, simulator, database_url=tables_url)


@pytest.fixture
def site(make_site):
    with dg.DagsterInstance.ephemeral() as instance:
        yield make_site(instance=instance)


@pytest.fixture
def scheduled_site(make_site, tmp_path):
    """A site with a Dagster instance in files, because a schedule's context needs one. Runs take longer in it."""
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield make_site(instance=instance)
