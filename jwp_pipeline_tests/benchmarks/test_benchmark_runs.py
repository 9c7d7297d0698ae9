"""The benchmark still runs and counts rows and WAL correctly. Its times are not tested."""

import json
import subprocess
import sys

import pytest

from jwp_pipeline_tests.support import PROJECT


@pytest.mark.slow
def test_quick_benchmark_prints_and_writes_its_figures(tmp_path):
    figures = tmp_path / "figures.json"
    command = [sys.executable, "-m", "jwp_pipeline_tests.benchmarks", "--quick", "--json", figures]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for title in ("seconds, memory", "WAL in MB", "limits", "may view", "targets"):
        assert title in done.stdout
    [run] = json.loads(figures.read_text())["runs"]
    first, unchanged = run["cases"]
    assert first["rows_written"] == [2040, 0, 0]  # 2,000 videos in 40 channels
    assert unchanged["rows_written"] == [0, 0, 0]
    assert first["wal_mb"] > first["wal_outside_raw_mb"] > first["wal_of"]["jwp.cached_resources"] > 1
    assert unchanged["total_seconds"] > unchanged["run_seconds"] > sum(unchanged["seconds_of"].values()) > 0
    _, bulk, by_sync = run["edits"]
    assert bulk["recorded"] > 0
    assert by_sync["with_triggers_ms"] > 0
    anonymous, *_, superuser = run["decisions"]
    assert 0 < anonymous["items"] < superuser["items"] == 2000
    assert min(run["limits"].values()) > 0
    assert run["start_up"]["first_request_seconds"] > run["start_up"]["import_seconds"] > 0
    assert "import of Dagster" in done.stdout
