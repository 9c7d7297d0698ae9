"""Measures one API and one library size in a fresh database, with a child process for each case.

The cases are in cases.py, and report.py shows the figures.
"""

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager

import psycopg

from jwp_pipeline.database.embedded import ensure_running, release
from jwp_pipeline.database.embedded.layout import Layout, locked
from jwp_pipeline_tests.benchmarks import decisions, edits, limits, measured_sync, start_up
from jwp_pipeline_tests.benchmarks.cases import CASES
from jwp_pipeline_tests.benchmarks.served_library import served_library
from jwp_pipeline_tests.benchmarks.wal import watched
from jwp_pipeline_tests.support import PROJECT

# Our own rate limit should not be measured.
_NO_RATE_LIMIT = {"JWP_REQUESTS_PER_MINUTE": "1000000"}

_TABLE_SIZES = """
SELECT relname, CAST(pg_total_relation_size(oid) / 1e6 AS float8) AS mb
FROM pg_class WHERE relkind = 'r' AND relnamespace = 'jwp'::regnamespace AND pg_relation_size(oid) > 0
ORDER BY mb DESC
"""


def measure(api, videos, folder, progress, cases=CASES, channels=None):
    """Return all figures, `{"api", "videos", "channels", "cases": [...], "limits": {...}, "decisions": [...],
    "edits": [...], "start_up": {...}, "tables": {...}}`.

    `folder` is an empty folder for the server's data and the children's home. `progress` is called with a description
    of each step. `cases` are the first few of CASES, or all. Raises RuntimeError if a child fails.
    """
    home = folder / "home"
    environment = child_environment(home)
    progress("starting PostgreSQL and the library")
    with (
        fresh_server(home) as url,
        served_library(videos, channels=channels, cwd=folder, environment=environment) as library,
        psycopg.connect(url, autocommit=True) as server,
    ):
        environment |= library.environments[api]
        # Autovacuum would add its own WAL to different cases at different times.
        server.execute("ALTER SYSTEM SET autovacuum TO off")
        server.execute("SELECT pg_reload_conf()")
        bench = _Bench(folder, environment, library, server, Layout.of(home).data)
        # This comes first, because it also makes the simulator compute its listings.
        figures = {
            "api": api,
            "videos": videos,
            "channels": channels,
            "cases": [],
            "limits": bench.child(limits, "fetch"),
        }
        for case in (case for case in cases if case.api in (None, api)):
            progress(case.name)
            figures["cases"].append(bench.sync(case))
            if case.unchanged and "digest_diff_seconds" not in figures["limits"]:
                progress("limits in the database")
                figures["limits"] |= bench.child(limits, "database")
        progress("start-up")
        figures["start_up"] = start_up.measure(folder, environment)
        progress("decisions")
        server.execute("VACUUM (ANALYZE)")
        figures["decisions"] = bench.child(decisions)
        progress("edits")
        figures["edits"] = bench.child(edits)
        figures["tables"] = dict(server.execute(_TABLE_SIZES).fetchall())
        return figures


@contextmanager
def fresh_server(home):
    """Yield the URL of a durable embedded server, all of whose processes have ended at the end of the block."""
    url = ensure_running(home)
    try:
        yield url
    finally:
        release(home)
        # The keeper stops the server a little later. Wait for it, because the folder will be removed.
        with locked(Layout.of(home).keeper_lock):
            pass


def child_environment(home):
    """Return our environment without the settings of a site, so that the children use only those of the benchmark."""
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
            self._library.change(case.change_first)
            self.child(limits, "fetch")
        if case.vacuum_first:
            self._server.execute("VACUUM (ANALYZE)")
            # Vacuum again, for the catalogs that ANALYZE has just written.
            self._server.execute("VACUUM")
        with watched(self._server, self._data_folder) as database:
            started = time.monotonic()
            figures = self.child(measured_sync, *case.options)
            total = time.monotonic() - started
        startup = total - figures["run_seconds"]
        about = {"case": case.name, "unchanged": case.unchanged}
        return {**about, "total_seconds": total, "startup_seconds": startup, **figures, **database}

    def child(self, module, *arguments):
        """Run one of our modules as a program, and return the JSON value of the last line that it prints."""
        command = [sys.executable, "-m", module.__name__, *arguments]
        # The working folder is empty, because a .env file there would take precedence over the environment.
        done = subprocess.run(command, cwd=self._folder, env=self._environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command[1:])} failed: {done.stderr.strip()[-2000:]}")
        return json.loads(done.stdout.splitlines()[-1])
