"""Runs the Dagster UI, daemon and code server for `make up`, and leaves nothing running afterwards.

The child process is `dagster dev` under a guardian (processes.py). This process keeps the embedded database running
meanwhile. Put here what serves; launch.py runs a single sync, and demo.py the simulator that may stand in for JWP.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from rich.console import Console

from jwp_pipeline.commands.launch import configuration, dagster_home
from jwp_pipeline.commands.webhooks import receiving
from jwp_pipeline.database.locate import open_database
from jwp_pipeline.environment import child_environment
from jwp_pipeline.errors import PipelineError
from jwp_pipeline.orchestration.failures import as_database_error
from jwp_pipeline.orchestration.runs import end_abandoned_runs
from jwp_pipeline.orchestration.runtime import Runtime
from jwp_pipeline.orchestration.status_page import STATUS
from jwp_pipeline.processes import guarded, stop_requests
from jwp_pipeline.proxies import exceptions_for
from jwp_pipeline.settings import Settings

if TYPE_CHECKING:
    from gql.transport import Transport

HOST = "127.0.0.1"

# dagster dev gives its own children this long before it kills them and ends.
_STOP_SECONDS = 20.0

# How often to ask whether the code is still served, and how long an answer may take. Reloading is slow, because it
# starts a process.
_LOOK_SECONDS = 30.0
_ANSWER_SECONDS = 60

# Dagster's own client has no method for this query.
_LOCATIONS = "{ workspaceOrError { ... on Workspace { locationEntries { name locationOrLoadError { __typename } } } } }"


def serve(settings: Settings, console: Console, *, port: int) -> int:
    """Serve until interrupted (SIGINT, SIGTERM) or until Dagster ends by itself. Returns the exit code, 0 if stopped.

    Raises PipelineError if a port is taken, and DatabaseError if the database cannot be used.
    """
    require_free(port)
    open_database(settings).dispose()
    home = dagster_home(settings)
    with (
        as_database_error(),
        dg.DagsterInstance.from_config(str(home)) as instance,
        Runtime(settings=lambda: settings) as runtime,
    ):
        end_abandoned_runs(instance, runtime)
    command = [sys.executable, "-m", "dagster", "dev", "--host", HOST, "--port", str(port)]
    command += ["--workspace", str(configuration("workspace.yaml"))]
    # The working folder is Dagster's home, because Dagster's own commands would read a .env in any other.
    environment = _environment(settings, home)
    with (
        stop_requests() as stop,
        _receiving_webhooks(settings, console),
        guarded(command, seconds=_STOP_SECONDS, cwd=home, env=environment) as child,
    ):
        _announce(child, port, console, stop, first_page=f"/assets/{'/'.join([*settings.asset_key_prefix, STATUS])}")
        with kept_loaded(port, console):
            while child.poll() is None and not stop:
                time.sleep(0.2)
        if stop:
            console.print("Stopping …")
    return 0 if stop else int(child.returncode or 1)


@contextmanager
def _receiving_webhooks(settings: Settings, console: Console) -> Iterator[None]:
    """Receive webhooks during the block if JWP_WEBHOOK_PORT is set. Raises PipelineError, as `receiving` does."""
    if settings.jwp_webhook_port is None:
        yield
        return
    with receiving(settings, HOST, settings.jwp_webhook_port) as server:
        console.print(f"Webhooks are received at {server.url}.")
        yield


def _announce(child: subprocess.Popen[bytes], port: int, console: Console, stop: list[int], *, first_page: str) -> None:
    started = time.monotonic()
    while child.poll() is None and not stop:
        with suppress(OSError, HTTPException), closing(HTTPConnection(HOST, port, timeout=2)) as connection:
            connection.request("GET", "/server_info")
            if connection.getresponse().status == 200:
                url, seconds = f"http://{HOST}:{port}", time.monotonic() - started
                console.print(f"Dagster is at {url} (after {seconds:.1f} s). Ctrl-C stops everything.")
                console.print(f"Whether all is in step, and what to do next: {url}{first_page}", soft_wrap=True)
                return
        time.sleep(0.2)


@contextmanager
def kept_loaded(port: int, console: Console, *, every: float = _LOOK_SECONDS) -> Iterator[None]:
    """Reload the code during the block whenever the process that serves it has died. Never raises.

    Dagster itself waits for somebody to reload it in the UI. Until then no schedule, sensor or run would start.
    """
    stopped = threading.Event()

    def look() -> None:
        seen: dict[str, int] = {}
        while not stopped.wait(every):
            # These imports are slow, but half a minute after the start nobody waits for them.
            from dagster_graphql import DagsterGraphQLClient, DagsterGraphQLClientError
            from gql.transport.exceptions import TransportError
            from gql.transport.requests import RequestsHTTPTransport

            url = f"http://{HOST}:{port}/graphql"
            transport = RequestsHTTPTransport(url, timeout=_ANSWER_SECONDS, proxies=exceptions_for(url))
            with suppress(OSError, DagsterGraphQLClientError, TransportError, LookupError, TypeError, AttributeError):
                seen = {name: seen.get(name, 0) + 1 for name in _unloaded(transport)}
                for name, times in seen.items():
                    if times == 1:
                        console.print(f"The code of {name} cannot be used (was its process killed?). Loading it anew …")
                    # Reload only at look 1, 2, 4, 8, …, because broken code does not get better by itself.
                    if times & (times - 1) == 0:
                        DagsterGraphQLClient(HOST, port, transport).reload_repository_location(name)

    # This needs a thread, because a slow answer must not delay Ctrl-C.
    threading.Thread(target=look, name="kept-loaded", daemon=True).start()
    try:
        yield
    finally:
        stopped.set()


def _unloaded(transport: Transport) -> Sequence[str]:
    """Return the names of the code locations that Dagster cannot use, without those that are being loaded."""
    from gql import Client, gql

    entries = Client(transport=transport).execute(gql(_LOCATIONS))["workspaceOrError"]["locationEntries"]
    return [
        entry["name"] for entry in entries if (entry["locationOrLoadError"] or {}).get("__typename") == "PythonError"
    ]


def _environment(settings: Settings, home: Path) -> dict[str, str]:
    return {
        **child_environment(settings),
        "DAGSTER_HOME": str(home),
        # Hide the warning that `dg dev` supersedes `dagster dev`: it needs a project layout of its own, and we have a
        # workspace.yaml instead.
        "PYTHONWARNINGS": "ignore",
    }


def require_free(port: int) -> None:
    """Raise PipelineError if the port of the UI is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise PipelineError(
                f"Port {port} of {HOST} is taken, perhaps by another `make up`. Stop that, or give another --port."
            ) from None
