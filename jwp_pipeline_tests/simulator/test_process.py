"""The simulator runs in its own process: it prints its address, evolves on request, and ends with its parent."""

import json
import signal
import subprocess
import sys
import time

import pytest
import requests

TIMEOUT = 10


@pytest.fixture
def process():
    started = subprocess.Popen(
        [sys.executable, "-m", "jwp_pipeline.simulator", "--videos", "60", "--channels", "2", "--generation", "1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield started
    started.kill()
    started.wait()
    started.stdin.close()
    started.stdout.close()


def test_it_serves_evolves_and_ends_with_its_stdin(process):
    ready = json.loads(process.stdout.readline())
    environment = ready["environment"]
    assert environment["JWPLATFORM_MANAGEMENT_API_URL"] == ready["url"]
    assert environment["JWPLATFORM_API_BASE_URL"] == environment["JWPLATFORM_CONTENT_BASE_URL"] == ready["url"] + "/"
    media = f"{ready['url']}/v2/sites/{environment['JWPLATFORM_API_KEY']}/media/"
    secret = {"Authorization": f"Bearer {environment['JWPLATFORM_V2_API_SECRET']}"}
    state = requests.get(f"{ready['url']}/simulator/state", timeout=TIMEOUT).json()
    assert state["generation"] == 1
    evolution = requests.post(f"{ready['url']}/simulator/evolve", timeout=TIMEOUT).json()
    assert evolution["generation"] == 2
    shown = requests.get(f"{media}{evolution['videos_added'][0]}/", headers=secret, timeout=TIMEOUT)
    assert shown.status_code == 200
    process.stdin.close()
    assert process.wait(timeout=TIMEOUT) == 0


def test_it_ends_at_sigterm(process):
    process.stdout.readline()
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=TIMEOUT) == 0
    assert time.monotonic() - started < 3
