"""Helpers to start processes, to give them an environment, and to wait for their effects."""

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).parents[2]
DEAD_PROXY = dict.fromkeys(
    ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"),
    "http://127.0.0.1:9",
)
"""An environment whose proxy does not answer."""


def wait_until(condition, seconds=30.0, *, pause=0.02):
    """Return the condition's result once it is true; fail if it is not true in time. `pause` is between two looks."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        assert time.monotonic() < deadline, f"not so after {seconds} s"
        time.sleep(pause)
    return result


@contextmanager
def closed_port():
    """Yield a port of 127.0.0.1 that refuses connections, and that nobody else gets during the block."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def free_port():
    """Return a port of 127.0.0.1 that a server may listen on."""
    with closed_port() as port:
        return port


def bare_environment(**variables):
    """Return an environment with none of our settings except those given."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH")
    return {name: os.environ[name] for name in kept if name in os.environ} | variables


@contextmanager
def python(code, *arguments, **environment):
    """Run `code` in a Python process that can import the project; kill it at the end if it is still running."""
    command = [sys.executable, "-c", code, *arguments]
    path = os.pathsep.join([str(PROJECT), *filter(None, sys.path)])
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    environment = bare_environment(**{**environment, "PYTHONPATH": path})
    with subprocess.Popen(command, env=environment, text=True, cwd="/", **pipes) as process:
        try:
            yield process
        finally:
            process.kill()
