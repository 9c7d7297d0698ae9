"""One API and one library size in a fresh database: the server, the library, and a child process for each case.

The cases are in cases.py, and what is said about the figures in report.py.
"""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg

from jwp_pipeline.database.embedded import ensure_running, release
from jwp_pipeline.database.embedded.layout import Layout, locked
from jwp_pipeline_tests.benchmarks import limits, measured_sync
from jwp_pipeline_tests.benchmarks.cases import CASES
from jwp_pipeline_tests.benchmarks.served_library import served_library
from jwp_pipeline_tests.benchmarks.wal import watched

PROJECT = Path(__file__).parents[2]
# Our own rate limit is not what is measured.
_NO_RATE_LIMIT = {"JWP_REQUESTS_PER_MINUTE": "1000000"}


def measure(api, videos, folder, progress, cases=CASES):
    """Figures of all cases and limits, `{"api", "videos", "cases": [...], "limits": {...}}`.

    `folder`: an empty one, for the server's data and as the children's home. `progress` is told what goes on.
    `cases`: the first few of CASES, or all. Raises RuntimeError when a child fails.
    """
    home = folder / "home"
    environment = child_environment(home)
    progress("starting PostgreSQL and the library")
    with (
        fresh_server(home) as url,
        served_library(videos, cwd=folder, environment=environment) as library,
        psycopg.connect(url, autocommit=True) as server,
    ):
        environment |= library.environments[api]
        # It would write WAL of its own, now in one case and now in another.
        server.execute("ALTER SYSTEM SET autovacuum TO off")
        server.execute("SELECT pg_reload_conf()")
        bench = _Bench(folder, environment, library, server, Layout.of(home).data)
        # First of all, since it makes the simulator ready, too.
        figures = {"api": api, "videos": videos, "cases": [], "limits": bench.child(limits, "fetch")}
        for case in cases:
            progress(case.name)
            figures["cases"].append(bench.sync(case))
            if case.unchanged and "plain_diff_seconds" not in figures["limits"]:
                progress("limits in the database")
                figures["limits"] |= bench.child(limits, "database")
        return figures


@contextmanager
def fresh_server(home):
    """URL of an embedded server of our own, durable; all of it has ended at the end of the block."""
    url = ensure_running(home)
    try:
        yield url
    finally:
        release(home)
        # The keeper stops the server in its own time, and the folder is to be removed.
        with locked(Layout.of(home).keeper_lock):
            pass


def child_environment(home):
    """Ours, less all settings of a site, so that only what is measured is configured."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("JWP", "LOOKUP_", "OAUTH2_"))}
    path = os.pathsep.join([str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**ours, **_NO_RATE_LIMIT, "JWP_HOME": str(home), "PYTHONPATH": path}


class _Bench:
    def __init__(self, folder, environment, library, server, data_folder):
        self._folder = folder
        self._environment = environment
        self._library = library
        self._server = server
        self._data_folder = data_folder

    def sync(self, case):
        if case.change_first:
            self._library.change()
            self.child(limits, "fetch")
        if case.vacuum_first:
            self._server.execute("VACUUM (ANALYZE)")
            # Again, for the catalogs that ANALYZE has just written.
            self._server.execute("VACUUM")
        with watched(self._server, self._data_folder) as database:
            started = time.monotonic()
            figures = self.child(measured_sync, *case.options)
            total = time.monotonic() - started
        startup = total - figures["run_seconds"]
        about = {"case": case.name, "unchanged": case.unchanged}
        return {**about, "total_seconds": total, "startup_seconds": startup, **figures, **database}

    def child(self, module, *arguments):
        """What a module of ours prints as its last line, run as a program."""
        command = [sys.executable, "-m", module.__name__, *arguments]
        # In an empty folder: a .env there would win over the environment.
        done = subprocess.run(command, cwd=self._folder, env=self._environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command[1:])} failed: {done.stderr.strip()[-2000:]}")
        return json.loads(done.stdout.splitlines()[-1])
