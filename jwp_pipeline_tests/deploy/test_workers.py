"""LIVE: several machines with Celery workers for each site. Runs, whole workers and Redis are killed in mid-run.

Everything is started with the command lines of deploy/compose.yaml and deploy/compose.celery.yaml. Redis keeps nothing
here when it is killed, which is the worst that it can do.
"""

import os
import signal
import time

import pytest

from jwp_pipeline_tests.deploy.conftest import start_hub, wait_for_first_syncs
from jwp_pipeline_tests.deploy.redis import REDIS, needs_redis
from jwp_pipeline_tests.deploy.sites import SITES, eventually

pytestmark = [pytest.mark.slow, needs_redis]

# Dagster looks every five seconds, and a worker that does not answer is asked three times.
FOUND_SECONDS = 60


@pytest.fixture(scope="module")
def sites(deployed):
    with deployed("compose.yaml", "compose.celery.yaml", JWP_CELERY_URL="redis://redis:6379/0") as sites:
        sites.services["redis"]["command"] = [REDIS, "--port", "6379", "--bind", "0.0.0.0", "--save", ""]
        sites.start("redis")
        for site in SITES:
            sites.start(f"{site}-worker")
        start_hub(sites)
        wait_for_first_syncs(sites)
        yield sites


def worker_of(sites, run):
    """Return the name of the worker that executes a run."""
    group = os.getpgid(run.process_id)
    [name] = [name for name, process in sites.processes.items() if process.pid == group]
    return name


def test_each_run_is_executed_by_a_worker_of_its_own_site(sites):
    for site in SITES:
        with sites.at_work(site) as run:
            assert worker_of(sites, run) == f"{site}-worker"
    eventually(lambda: all(sites.is_in_step(site) for site in SITES))


def test_a_killed_run_is_retried_a_canceled_one_ends_at_once_and_a_refusal_is_final(sites):
    with sites.refused_run("music"):
        with sites.at_work("physics") as killed:
            os.kill(killed.process_id, signal.SIGKILL)
        with sites.at_work("law") as canceled:
            sites.cancel(canceled.run_id)
        eventually(lambda: sites.status(canceled.run_id) == "CANCELED")
        eventually(lambda: sites.is_retried_with_success(killed.run_id))
        assert sites.status(killed.run_id) == "FAILURE"
    assert not sites.retries(canceled.run_id)


def test_a_lost_worker_is_found_in_seconds_while_a_healthy_one_is_left_alone(sites):
    with sites.at_work("law") as healthy:
        with sites.at_work("physics") as lost:
            sites.lose("physics-worker")
        began = time.monotonic()
        sites.start("physics-worker")
        eventually(lambda: sites.status(lost.run_id) == "FAILURE", seconds=FOUND_SECONDS)
        print(f"\nlive: a lost worker was found after {time.monotonic() - began:.0f} s")
    eventually(lambda: sites.is_retried_with_success(lost.run_id))
    eventually(lambda: sites.status(healthy.run_id) == "SUCCESS")
    assert not sites.retries(healthy.run_id)


def test_a_worker_that_sleeps_commits_nothing_when_it_wakes_up(sites):
    with sites.at_work("physics") as sleeping:
        sites.signal("physics-worker", signal.SIGSTOP)
    sleeper = sites.processes.pop("physics-worker")
    sites.start("physics-worker")
    eventually(lambda: sites.status(sleeping.run_id) == "FAILURE")
    eventually(lambda: sites.is_in_step("physics") and not sites.has_runs_in_progress("physics"))
    before = sites.contents("physics")
    os.killpg(sleeper.pid, signal.SIGCONT)
    os.killpg(sleeper.pid, signal.SIGTERM)
    sleeper.wait(60)
    assert sites.contents("physics") == before
    assert sites.status(sleeping.run_id) == "FAILURE"


def test_runs_go_on_without_redis_and_others_wait_for_it(sites):
    with sites.at_work("law") as healthy:
        sites.lose("redis")
        waiting = sites.launch("music")
        eventually(lambda: "cannot be reached" in sites.log("daemon"))
        sites.start("redis")
    eventually(lambda: sites.status(healthy.run_id) == "SUCCESS")
    eventually(lambda: sites.status(waiting) == "SUCCESS")
    assert not sites.retries(healthy.run_id)
    assert all(sites.is_in_step(site) for site in SITES)
