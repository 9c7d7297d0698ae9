"""`jwp-pipeline metrics`: prints metrics in the format of Prometheus, or serves them on this machine.

Put here arguments and the server. status/metrics.py says what the metrics are.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from jwp_pipeline.commands.arguments import port_number
from jwp_pipeline.commands.loading import loading
from jwp_pipeline.errors import PipelineError
from jwp_pipeline.processes import stop_requests

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from jwp_pipeline.commands.terminal import Terminal
    from jwp_pipeline.settings import Settings

HOST = "127.0.0.1"
_LOOK_SECONDS = 0.1
# How many runs are looked at for the last one of each job.
_RUNS = 50


def add_verb(verbs: Any, parents: Sequence[argparse.ArgumentParser]) -> None:
    """Add the verb to the parser of `jwp-pipeline`, with parsers of the options that it shares."""
    parser = verbs.add_parser(
        "metrics",
        help="print metrics for Prometheus, or serve them",
        description="Print the metrics once, in Prometheus' text format; with --port, serve them until interrupted.",
        parents=parents,
    )
    parser.add_argument("--port", type=port_number, help=f"serve them at http://{HOST}:PORT/metrics")


def run(options: argparse.Namespace, settings: Settings, screen: Terminal) -> None:
    """Print the metrics, or serve them until interrupted. Raises PipelineError."""
    from prometheus_client import generate_latest, start_http_server

    with metrics(settings) as registry:
        if options.port is None:
            # Not wrapped, coloured or shortened, whatever the terminal is.
            screen.out.file.write(generate_latest(registry).decode())
            return
        try:
            server, _ = start_http_server(options.port, HOST, registry)
        except (OSError, OverflowError) as error:
            raise PipelineError(
                f"Port {options.port} of {HOST} cannot be listened on: {error}. Give another --port."
            ) from None
        screen.say(f"Metrics are served at http://{HOST}:{server.server_port}/metrics. Ctrl-C stops.")
        with stop_requests() as stop:
            while not stop:
                time.sleep(_LOOK_SECONDS)
        server.shutdown()
        server.server_close()


@contextmanager
def metrics(settings: Settings) -> Iterator[CollectorRegistry]:
    """Yield a registry with all metrics of the site, which reads our database and Dagster's at each scrape."""
    with loading():
        import dagster as dg

        from jwp_pipeline.commands.launch import dagster_home
        from jwp_pipeline.orchestration.failures import as_database_error
        from jwp_pipeline.orchestration.runs import site_of
        from jwp_pipeline.orchestration.status_page import last_runs
    from jwp_pipeline.commands.frame import database
    from jwp_pipeline.status.metrics import registry

    with (
        database(settings) as engine,
        as_database_error(),
        dg.DagsterInstance.from_config(str(dagster_home(settings))) as instance,
    ):

        def newest() -> Any:
            with as_database_error():
                return last_runs(instance, site_of(settings), most=_RUNS)

        yield registry(lambda: engine, settings, newest)
