"""Helpers to start processes that use an embedded server, and to find the processes that belong to the server."""

import os
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

from jwp_pipeline_tests.support import PROJECT, wait_until

# The home is passed in the environment, because a process with it in its command line counts as part of the server.
USER = """
import os, sys, time
from pathlib import Path
from jwp_pipeline.database.embedded import ensure_running
print(ensure_running(Path(os.environ["EMBEDDED_HOME"]), durable=False), flush=True)
"""
STAY = "sys.stdin.read()"


@contextmanager
def user_process(home, then=STAY, python=sys.executable, first="", **popen):
    """Run a process that runs `first`, uses the server in `home`, and runs `then`; kill it at the end."""
    environment = dict(os.environ, EMBEDDED_HOME=str(home), PYTHONPATH=os.pathsep.join([str(PROJECT), *sys.path]))
    command = [python, "-c", first + USER + then]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=environment, text=True, cwd="/", **pipes, **popen) as process:
        try:
            yield process
        finally:
            process.kill()


def url_of(process):
    line = process.stdout.readline().strip()
    assert line.startswith("postgresql://"), process.stderr.read()
    return line


def server_processes(home):
    """Return the command lines of all keepers, postmasters and their children in `home`, by process id."""
    if not Path("/proc/self/cmdline").exists():
        rows = subprocess.run(["ps", "-axwwo", "pid=,args="], capture_output=True, text=True, check=True)
        return {int(row.split()[0]): row for row in rows.stdout.splitlines() if str(home) in row}
    found = {}
    # The order of process ids nearly always has a parent before its children.
    for pid in sorted(int(process.name) for process in Path("/proc").glob("[0-9]*")):
        process, folder = Path(f"/proc/{pid}"), ""
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            # Even root cannot inspect processes of other users if it lacks a capability, as in a container.
            with suppress(PermissionError):
                folder = os.readlink(process / "cwd")
        except OSError:  # the process has ended or is ending
            continue
        if str(home) in command or folder.startswith(str(home)) or parent in found:
            found[pid] = command
    return found


def keeper_of(home):
    return next(pid for pid, command in server_processes(home).items() if "embedded.keeper" in command)


def wait_until_gone(home):
    wait_until(lambda: not server_processes(home), seconds=5)
