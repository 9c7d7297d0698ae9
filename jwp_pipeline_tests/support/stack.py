"""Starts the whole stack as `make up` does, in a folder of its own, and reads its database from outside."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from jwp_pipeline_tests.support.processes import DEAD_PROXY, bare_environment, free_port

# On a busy machine everything takes several times as long as it should.
PATIENCE = 150.0
STOP_SECONDS = 25.0


class Stack:
    """A `jwp-pipeline up` in its own folder, and every process that it starts."""

    def __init__(self, process, folder):
        self.process = process
        self.folder = folder

    def log(self):
        return (self.folder / "log").read_text()

    def processes(self):
        """Return process id → command line of each process with this folder in its arguments, settings or location."""
        found = {}
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                command = (process / "cmdline").read_bytes()
                traces = command, (process / "environ").read_bytes(), os.readlink(process / "cwd").encode()
                if int(process.name) != os.getpid() and any(os.fsencode(self.folder) in trace for trace in traces):
                    found[int(process.name)] = command.replace(b"\0", b" ").decode()
        return found

    def wait_until_gone(self):
        deadline = time.monotonic() + STOP_SECONDS
        while left := self.processes():
            assert time.monotonic() < deadline, f"left over: {left}"
            time.sleep(0.1)

    def expect(self, condition, what):
        """Wait until the condition is true, and return the seconds that it took."""
        started = time.monotonic()
        while not condition():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() - started < PATIENCE, f"{what}: not in {PATIENCE} s\n{self.log()[-8000:]}"
            time.sleep(0.1)
        return time.monotonic() - started


@contextmanager
def up(folder, **settings):
    """Run `jwp-pipeline up` in a folder during the block, and yield it. At the end everything is killed."""
    command = [Path(sys.executable).with_name("jwp-pipeline"), "up", "--no-history"]
    command += ["--port", str(free_port())]
    environment = bare_environment(JWP_HOME=str(folder / "home"), **DEAD_PROXY, **settings)
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        ) as process,
    ):
        stack = Stack(process, folder)
        try:
            yield stack
        finally:
            process.kill()
            for pid in stack.processes():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def asked(url, query, *parameters):
    """Return the rows of a query, or none if its table does not exist yet."""
    with psycopg.connect(url, autocommit=True) as connection:
        try:
            return connection.execute(query, parameters).fetchall()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            return []
