"""Measures dlt loading the same listing of videos into the same kind of server, first and then unchanged.

dlt is not a dependency of this project, so dlt_load.py runs in an environment that has it (--peer-python). It reads v2
page by page. The library's window is wider than the listing, because dlt does not cut listings into ranges.
"""

import json
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from jwp_pipeline_tests.benchmarks.bench import child_environment, fresh_server
from jwp_pipeline_tests.benchmarks.served_library import served_library

STRATEGIES = ("upsert", "scd2")
_CASES = ("first load", "nothing changed", "nothing changed again")


def measure(strategy, videos, folder, progress, python):
    """Return the figures of dlt's `merge`, `{"peer", "api", "videos", "cases": [...]}`. Raises RuntimeError."""
    home = folder / "home"
    environment = child_environment(home)
    figures = {"peer": f"dlt, {strategy}", "api": "v2", "videos": videos, "cases": []}
    with (
        fresh_server(home) as url,
        served_library(videos, cwd=folder, environment=environment, window=10 * videos) as library,
        psycopg.connect(url, autocommit=True) as server,
    ):
        server.execute("CREATE DATABASE peer")
        environment |= library.environments["v2"] | {
            "BENCHMARK_DATABASE_URL": urlsplit(url)._replace(path="/peer").geturl(),
            "DLT_DATA_DIR": str(folder / "dlt"),
            "RUNTIME__DLTHUB_TELEMETRY": "false",
        }
        for case in _CASES:
            progress(case)
            figures["cases"].append({"case": case, **_load(server, python, strategy, folder, environment)})
            if figures["cases"][-1]["rows"] != videos:
                raise RuntimeError(f"dlt loaded {figures['cases'][-1]['rows']} rows of {videos}.")
    return figures


def _load(server, python, strategy, folder, environment):
    server.execute("CHECKPOINT")
    first = _written(server)
    started = time.monotonic()
    command = [python, Path(__file__).with_name("dlt_load.py"), strategy]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        hint = ' (pip install "dlt[postgres]" into the environment that --peer-python names)'
        missing = "No module named 'dlt'" in done.stderr
        raise RuntimeError(f"dlt_load.py failed{hint if missing else ''}: {done.stderr.strip()[-2000:]}")
    total = time.monotonic() - started
    own = json.loads(done.stdout.splitlines()[-1])
    return {"total_seconds": total, **own, "wal_mb": (_written(server) - first) / 1e6}


def _written(server):
    """Return the bytes of WAL so far."""
    return int(server.execute("SELECT pg_current_wal_insert_lsn() - '0/0'").fetchone()[0])
