"""`make up`: the Dagster UI, daemon and code server, supervised so that nothing is left running afterwards.

The child is `dagster dev` under a guardian (processes.py); the embedded database is held by this process for as long.
Not here: the simulator (demo.py), a single sync (launch.py).
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import dagster as dg
from rich.console import Console

from jwp_pipeline.database.locate import open_database
from jwp_pipeline.errors import PipelineError
from jwp_pipeline.orchestration.automation import end_abandoned_runs
from jwp_pipeline.orchestration.launch import configuration, dagster_home
from jwp_pipeline.processes import guarded
from jwp_pipeline.settings import Settings, environment_of

HOST = "127.0.0.1"

# dagster dev gives its own children this long before it ends them, and then itself.
_STOP_SECONDS = 20.0


def serve(settings: Settings, console: Console, *, port: int) -> int:
    """Serve until interrupted (SIGINT, SIGTERM) or until Dagster ends by itself; 0 when asked to stop.

    Raises PipelineError when the port is taken, DatabaseError when the database cannot be used.
    """
    _require_free(port)
    open_database(settings).dispose()
    home = dagster_home(settings)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        end_abandoned_runs(instance)
    command = [sys.executable, "-m", "dagster", "dev", "--host", HOST, "--port", str(port)]
    command += ["--workspace", str(configuration("workspace.yaml"))]
    # Started in its home, where no .env is: what the settings say has been settled here.
    environment = _environment(settings, home)
    with _stop_requests() as stop, guarded(command, seconds=_STOP_SECONDS, cwd=home, env=environment) as child:
        _announce(child, port, console, stop)
        while child.poll() is None and not stop:
            time.sleep(0.2)
        if stop:
            console.print("Stopping …")
    return 0 if stop else int(child.returncode or 1)


def _announce(child: subprocess.Popen[bytes], port: int, console: Console, stop: list[int]) -> None:
    started = time.monotonic()
    url = f"http://{HOST}:{port}"
    while child.poll() is None and not stop:
        with suppress(OSError), urllib.request.urlopen(f"{url}/server_info", timeout=2):  # noqa: S310 - our own server
            console.print(f"Dagster is at {url} (after {time.monotonic() - started:.1f} s). Ctrl-C stops everything.")
            return
        time.sleep(0.2)


def _environment(settings: Settings, home: Path) -> dict[str, str]:
    return {
        **os.environ,
        **environment_of(settings),
        "DAGSTER_HOME": str(home),
        # `dagster dev` is superseded by `dg dev`, which needs a project layout that workspace.yaml spares us.
        "PYTHONWARNINGS": "ignore",
    }


@contextmanager
def _stop_requests() -> Iterator[list[int]]:
    """Signals received that ask to stop; more of them change nothing."""
    received: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        received.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise PipelineError(
                f"Port {port} of {HOST} is taken, perhaps by another `make up`. Stop that, or give another --port."
            ) from None
