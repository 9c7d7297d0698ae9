"""LIVE: several machines with a code server for each site. Processes and whole machines are killed in mid-run.

A machine is a process group. Everything is started with the command lines of deploy/compose.yaml.
"""

import os
import signal
from contextlib import suppress

import pytest
import requests

from jwp_pipeline_tests.deploy.conftest import start_hub, wait_for_first_syncs
from jwp_pipeline_tests.deploy.sites import SITES, eventually

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sites(deployed):
    with deployed("compose.yaml") as sites:
        start_hub(sites)
        sites.start("physics-webhooks")
        wait_for_first_syncs(sites)
        yield sites


def test_sites_are_synced_by_themselves_and_receive_webhooks(sites):
    assert all(sites.is_in_step(site) for site in SITES)
    url = f"http://127.0.0.1:{sites.port('physics-webhooks', 8300)}/healthz"
    assert eventually(lambda: _status(url)) == 200


def _status(url):
    with suppress(requests.ConnectionError):
        return requests.get(url, timeout=10).status_code


def test_a_killed_run_is_retried_a_healthy_one_is_left_alone_and_a_refusal_is_final(sites):
    with sites.refused_run("music") as refused:
        with sites.at_work("law") as healthy:
            with sites.at_work("physics") as killed:
                os.kill(killed.process_id, signal.SIGKILL)
            eventually(lambda: sites.is_retried_with_success(killed.run_id))
            assert sites.status(killed.run_id) == "FAILURE"
            assert sites.is_in_step("physics")
            eventually(lambda: sites.status(refused) == "FAILURE")
        eventually(lambda: sites.status(healthy.run_id) == "SUCCESS")
        assert sites.is_in_step("law")
        assert not sites.retries(healthy.run_id)


def test_a_lost_machine_is_noticed_a_sleeping_one_commits_nothing_and_runs_wait_for_a_code_server(sites):
    with sites.at_work("physics") as sleeping:
        os.kill(sleeping.process_id, signal.SIGSTOP)
    with sites.at_work("law") as lost:
        sites.lose("law")
    sites.start("law")
    with sites.at_work("music") as healthy:
        waiting = sites.launch("music")
        # The server alone is killed, and not the run that it has started.
        os.kill(sites.processes["music"].pid, signal.SIGKILL)
        sites.processes["music"].wait()
    eventually(lambda: sites.status(healthy.run_id) == "SUCCESS")
    sites.start("music")
    for run in (sleeping, lost):
        eventually(lambda run=run: sites.is_retried_with_success(run.run_id))
        assert sites.status(run.run_id) == "FAILURE"
    eventually(lambda: sites.status(waiting) == "SUCCESS")
    assert all(sites.is_in_step(site) for site in SITES)

    eventually(lambda: not sites.has_runs_in_progress("physics"))
    before = sites.contents("physics")
    os.kill(sleeping.process_id, signal.SIGCONT)
    eventually(lambda: not os.path.exists(f"/proc/{sleeping.process_id}"))
    assert sites.contents("physics") == before
