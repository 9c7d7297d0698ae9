"""Three simulated sites in one Dagster: what is in their tables, which runs there were, and which are at work."""

import secrets
import time
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import NamedTuple

import psycopg
from dagster_graphql import DagsterGraphQLClient

from jwp_pipeline.simulator import Simulator, demo_library
from jwp_pipeline_tests.deploy.composed import HOST, Deployment
from jwp_pipeline_tests.support import wait_until
from jwp_pipeline_tests.support.stack import asked

SITES = ("physics", "law", "music")
VIDEOS = 12
# On a busy machine everything takes several times as long as it should.
eventually = partial(wait_until, seconds=180, pause=0.2)

_RUNS = """
SELECT runs.run_id, pipeline_name, status, site.value, parent.value, retry.value
FROM dagster.runs
JOIN dagster.run_tags AS site ON site.run_id = runs.run_id AND site.key = 'dagster/code_location'
LEFT JOIN dagster.run_tags AS parent ON parent.run_id = runs.run_id AND parent.key = 'dagster/parent_run_id'
LEFT JOIN dagster.run_tags AS retry ON retry.run_id = runs.run_id AND retry.key = 'dagster/will_retry'
ORDER BY runs.id
"""
_WAITS = """
SELECT FROM pg_locks JOIN pg_class ON pg_class.oid = relation
WHERE NOT granted AND relnamespace = CAST(%s AS regnamespace)
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Run(NamedTuple):
    """A run, as Dagster has recorded it."""

    run_id: str
    job: str
    status: str
    site: str
    parent: str | None
    will_retry: str | None


class AtWork(NamedTuple):
    """A run that is about to write, and waits for a lock of the test."""

    run_id: str
    process_id: int


class Sites(Deployment):
    """The deployment of three sites, with a simulator for each."""

    def __init__(self, folder, files, database_url, **settings):
        self.url = database_url
        self._opened = ExitStack()
        self.simulators = {
            site: self._opened.enter_context(Simulator(demo_library(videos=VIDEOS, channels=2, seed=number)))
            for number, site in enumerate(SITES)
        }
        shared = {"JWP_DATABASE_URL": database_url, **settings}
        # Only what the tests ask for should happen, beside the sensors.
        quiet = {"JWP_FREQUENT_SYNC_CRON": "0 0 1 1 *", "JWP_FULL_RESYNC_CRON": "0 0 1 1 *"}
        quiet |= {"JWP_REQUESTS_PER_MINUTE": "100000", "JWP_WEBHOOK_SECRETS": "not-a-real-secret"}
        of_sites = {
            f"{site}.env": {**shared, **quiet, **simulator.environment("v2")}
            for site, simulator in self.simulators.items()
        }
        super().__init__(folder, files, {"hub.env": shared, **of_sites})

    def end(self):
        super().end()
        self._opened.close()

    def titles(self, site):
        """Return the titles of the media items of a site."""
        return {title for (title,) in asked(self.url, f"SELECT title FROM {site}.media_items WHERE deleted_at IS NULL")}

    def library_titles(self, site):
        library = self.simulators[site].library
        return {library.get("video", key)["title"] for key in library.keys("video")}

    def is_in_step(self, site):
        return self.titles(site) == self.library_titles(site)

    def runs(self, site=None):
        """Return all runs of jobs, the oldest first."""
        return [run for row in asked(self.url, _RUNS) if (run := Run(*row)).site == site or site is None]

    def status(self, run_id):
        [run] = [run for run in self.runs() if run.run_id == run_id]
        return run.status

    def has_runs_in_progress(self, site):
        return any(run.status not in ("SUCCESS", "FAILURE", "CANCELED") for run in self.runs(site))

    def retries(self, run_id):
        """Return the runs that were started in place of a run that failed."""
        return [run for run in self.runs() if run.parent == run_id]

    def is_retried_with_success(self, run_id):
        return [run.status for run in self.retries(run_id)] == ["SUCCESS"]

    def launch(self, site, job="sync"):
        """Start a run as a person does in the UI, and return its id."""
        return self._client().submit_job_execution(
            job, repository_location_name=site, repository_name="__repository__", run_config={}
        )

    def cancel(self, run_id):
        """Ask Dagster to end a run, as a person does in the UI."""
        self._client().terminate_run(run_id)

    def _client(self):
        return DagsterGraphQLClient(HOST, port_number=self.port("webserver", 3000))

    def edit(self, site):
        """Change a title at JW Platform, and return the new one."""
        library = self.simulators[site].library
        title = f"Edited {secrets.token_hex(4)}"
        library.edit("video", library.keys("video")[0], title=title, updated=int(time.time()))
        return title

    @contextmanager
    def at_work(self, site):
        """Yield a run of the site that is about to write what changed; it goes on at the end of the block."""
        with psycopg.connect(self.url) as blocker:
            blocker.execute(f"LOCK TABLE {site}.resource_changes IN SHARE MODE")
            self.edit(site)
            # A sensor may have noticed the change already.
            self.launch(site)
            eventually(lambda: asked(self.url, _WAITS, site))
            newest = f"SELECT run_id, process_id FROM {site}.run_leases ORDER BY fencing_number DESC LIMIT 1"
            yield AtWork(*asked(self.url, newest)[0])
            blocker.rollback()

    @contextmanager
    def refused_run(self, site):
        """Yield a run that the guard refuses, and look at the end of the block that it was final.

        All but two videos are gone at JW Platform meanwhile, and come back afterwards.
        """
        library = self.simulators[site].library
        removed = library.keys("video")[2:]
        library.remove("video", *removed)
        run_id = self.launch(site)
        yield run_id
        eventually(lambda: self.status(run_id) == "FAILURE")
        eventually(lambda: not any(self.has_runs_in_progress(each) for each in SITES))
        [found] = [run for run in self.runs(site) if run.run_id == run_id]
        assert found.will_retry == "false"
        assert not self.retries(run_id)
        assert len(self.titles(site)) == len(removed) + 2
        library.restore("video", *removed)
        restored = self.launch(site)
        eventually(lambda: self.status(restored) == "SUCCESS")

    def contents(self, site):
        """Return all rows of the tables that a sync writes."""
        tables = ("cached_resources", "resource_changes", "raw_snapshots", "videos", "media_items", "sync_problems")
        return {table: sorted(map(repr, asked(self.url, f"SELECT * FROM {site}.{table}"))) for table in tables}
