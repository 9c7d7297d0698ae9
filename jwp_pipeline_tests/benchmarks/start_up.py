"""Measures the time from starting `jwpfetch` to its first request, and the time that Python takes to import Dagster.

A listener stands in for JW Platform: a connection to it is the first request, and ends the command. The two are
measured in turn, because the load of a machine changes.
"""

import socket
import subprocess
import sys
import time
from statistics import median

REPETITIONS = 5

_IMPORTS = "import dagster, dagster_postgres"
_JWPFETCH = "import sys; from jwp_pipeline.commands.cli import jwpfetch; sys.exit(jwpfetch([]))"


def measure(folder, environment):
    """Return `{"import_seconds", "first_request_seconds"}`, medians of several starts. Raises RuntimeError."""
    # An installed program has its bytecode; the first start, which does not count, writes it.
    environment = {name: value for name, value in environment.items() if name != "PYTHONDONTWRITEBYTECODE"}
    figures = {"import_seconds": [], "first_request_seconds": []}
    for _ in range(REPETITIONS + 1):
        started = time.monotonic()
        subprocess.run([sys.executable, "-c", _IMPORTS], cwd=folder, env=environment, check=True)
        figures["import_seconds"].append(time.monotonic() - started)
        figures["first_request_seconds"].append(_first_request(folder, environment))
    return {name: median(seconds[1:]) for name, seconds in figures.items()}


def _first_request(folder, environment):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(120)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        environment = {**environment, "JWPLATFORM_MANAGEMENT_API_URL": url}
        started = time.monotonic()
        command = [sys.executable, "-c", _JWPFETCH]
        pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(command, cwd=folder, env=environment, **pipes) as process:
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                raise RuntimeError("jwpfetch sent no request within two minutes.") from None
            finally:
                seconds = time.monotonic() - started
                process.kill()
            connection.close()
    return seconds
