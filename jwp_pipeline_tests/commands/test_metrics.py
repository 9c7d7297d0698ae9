"""`jwp-pipeline metrics` prints nothing but metrics, or serves them on this machine, with the last runs of Dagster."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from jwp_pipeline.commands import cli
from jwp_pipeline_tests.support import Site, bare_environment, free_port, set_only, video, wait_until

PROGRAM = Path(sys.executable).with_name("jwp-pipeline")


@pytest.fixture
def site(engine, simulator, tables_url, tmp_path):
    simulator.library.put("video", video("a"))
    return Site(engine, simulator, "v2", database_url=tables_url, home=os.fspath(tmp_path / "home"))


def test_it_prints_metrics_and_the_last_run(site, monkeypatch, capsys):
    set_only(monkeypatch, site.environment)
    assert cli.jwpfetch([]) == 0
    capsys.readouterr()
    assert cli.main(["metrics"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith(("# HELP jwp_pipeline_", "# TYPE jwp_pipeline_", "jwp_pipeline_")) for line in lines)
    assert 'jwp_pipeline_last_run_success{run="sync"} 1.0' in lines
    assert 'jwp_pipeline_live_resources{type="video"} 1.0' in lines
    [requests_begun] = [line for line in lines if line.startswith("jwp_pipeline_requests_total ")]
    assert float(requests_begun.split()[1]) > 0


@pytest.mark.slow
def test_it_serves_them_on_this_machine_until_interrupted(site):
    port = free_port()
    command = [PROGRAM, "metrics", "--port", str(port)]
    with subprocess.Popen(command, env=bare_environment(**site.environment), stdout=subprocess.PIPE) as process:
        try:

            def answer():
                try:
                    return requests.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text
                except requests.ConnectionError:
                    return None

            assert "jwp_pipeline_up 1.0" in wait_until(answer)
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=20) == 0
        finally:
            process.kill()
