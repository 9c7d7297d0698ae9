"""LIVE: the whole stack as `make up` starts it, with a daemon that works by the clock. The tests wait for a minute,
mostly for the next tick of a sensor or the next look at the code server.

test_sensors.py and test_schedules.py test what sensors and schedules decide, and end_to_end/ tests the UI. Everything
runs with a dead proxy in the environment, because no connection within this machine may use a proxy.
"""

import io
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from rich.console import Console

from jwp_pipeline.commands.stack import kept_loaded
from jwp_pipeline.database.embedded import ensure_running, release
from jwp_pipeline.simulator import Simulator
from jwp_pipeline_tests.support import bare_environment, closed_port, free_port, video, wait_until
from jwp_pipeline_tests.support.http import Script, answer, serve
from jwp_pipeline_tests.support.stack import PATIENCE, Stack, asked, up

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")

FRESH = """
SELECT DISTINCT asset_key FROM dagster.event_logs
WHERE dagster_event_type = 'FRESHNESS_STATE_CHANGE' AND event LIKE '%%PASS%%'
"""


@pytest.mark.slow
def test_live_a_change_arrives_by_itself_and_ctrl_c_leaves_nothing(database_url, tmp_path, capsys):
    with Simulator() as site:
        for number in range(5):
            site.library.put("video", video(f"aaaa000{number}"))

        def titles():
            return {title for (title,) in asked(database_url, "SELECT title FROM jwp.media_items")}

        port = free_port()
        webhooks = {"JWP_WEBHOOK_PORT": str(port), "JWP_WEBHOOK_SECRETS": "not-a-real-secret"}
        with up(tmp_path, JWP_DATABASE_URL=database_url, **webhooks, **site.environment("v2")) as stack:
            first = stack.expect(lambda: len(titles()) == 5, "the first sync")
            # Kill the code server, as the OOM killer would. Dagster itself does not start it again.
            servers = [pid for pid, command in stack.processes().items() if "dagster api grpc" in command]
            assert servers, stack.processes()
            for pid in servers:
                os.kill(pid, signal.SIGKILL)
            site.library.edit("video", "aaaa0001", title="Changed", updated=int(time.time()))
            change = stack.expect(lambda: "Changed" in titles(), "the change")
            assert "Loading it anew" in stack.log()
            fresh = {"media_items", "cached_resources", "raw_videos"}
            stack.expect(
                lambda: all(any(name in key for (key,) in asked(database_url, FRESH)) for name in fresh), "fresh"
            )
            assert requests.get(f"http://127.0.0.1:{port}/healthz", timeout=10).status_code == 200
            assert len(stack.processes()) > 4
            # Interrupt the whole process group, as a terminal does.
            os.killpg(stack.process.pid, signal.SIGINT)
            stopping = time.monotonic()
            assert stack.process.wait(PATIENCE) == 0, stack.log()
            stack.wait_until_gone()
            stopped = time.monotonic() - stopping
    with capsys.disabled():
        print(
            f"\nlive: first sync after {first:.0f} s, a change and a dead code server after {change:.0f} s, "
            f"stopped in {stopped:.1f} s"
        )


@pytest.mark.slow
def test_live_kill_9_in_the_middle_of_a_run_leaves_nothing_and_does_not_block_the_next_run(tmp_path, capsys):
    """Nothing is configured, so the simulator, the embedded PostgreSQL and its keeper belong to the stack, too."""
    with up(tmp_path) as stack:
        stack.expect(lambda: "Started execution of step" in stack.log(), "a run")
        parts = " ".join(stack.processes().values())
        for part in ("demo_server", "embedded.keeper", "postgres", "webserver", "code-server"):
            assert part in parts, parts
        stack.process.kill()
        stopping = time.monotonic()
        stack.wait_until_gone()
        stopped = time.monotonic() - stopping
    with capsys.disabled():
        print(f"\nlive: gone {stopped:.1f} s after kill -9")
    assert statuses(tmp_path / "home")[0] in ("STARTED", "SUCCESS"), "it was not in the middle of a run"
    command = [Path(sys.executable).with_name("jwp-pipeline"), "run", "--no-history"]
    environment = bare_environment(JWP_HOME=str(tmp_path / "home"))
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert re.search(r"Sync done", ended.stdout)
    assert statuses(tmp_path / "home")[-1] == "SUCCESS"
    wait_until(lambda: not Stack(None, tmp_path).processes(), 15)


def statuses(home):
    """Return the status of each run in the stack's own database, the oldest first."""
    try:
        return [status for (status,) in asked(ensure_running(home), "SELECT status FROM dagster.runs ORDER BY id")]
    finally:
        release(home)


@contextmanager
def webserver(bodies):
    """Serve one body after the other, and the last one for ever. Yields the port and the list of requests."""
    answers = [answer(500, "not JSON") if body is None else answer(200, body) for body in bodies]
    with serve(Script(answers)) as script:
        yield urlsplit(script.url).port, script.posted


def workspace(**states):
    entries = [{"name": name, "locationOrLoadError": state and {"__typename": state}} for name, state in states.items()]
    return {"data": {"workspaceOrError": {"locationEntries": entries}}}


def test_only_a_code_location_that_is_no_longer_served_is_reloaded(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    lost = workspace(jwp_pipeline="PythonError", other="RepositoryLocation", loading=None)
    entry = {"__typename": "WorkspaceLocationEntry", "locationOrLoadError": {"__typename": "RepositoryLocation"}}
    reloaded = {"data": {"reloadRepositoryLocation": entry}}
    strange = [None, {"errors": ["?"], "data": None}, {"data": {"workspaceOrError": {"message": "?"}}}, 7]
    out = io.StringIO()
    with (
        webserver([*strange, lost, reloaded, workspace(jwp_pipeline="RepositoryLocation")]) as (port, asked),
        kept_loaded(port, Console(file=out, width=200), every=0.01),
    ):
        wait_until(lambda: len(asked) > len(strange) + 4)
    assert [each["variables"] for _, each in asked if "mutation" in each["query"]] == [
        {"repositoryLocationName": "jwp_pipeline"}
    ]
    assert out.getvalue().count("jwp_pipeline") == out.getvalue().count("\n") == 1


def test_a_webserver_that_does_not_answer_causes_no_error(capfd):
    with closed_port() as port, kept_loaded(port, Console(file=io.StringIO()), every=0.01):
        time.sleep(0.2)
    assert capfd.readouterr().err == ""
