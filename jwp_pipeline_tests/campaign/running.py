"""Starts a run and does to it what its faults say, until it has ended."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from jwp_pipeline_tests.campaign import child
from jwp_pipeline_tests.campaign.invariants import read_log
from jwp_pipeline_tests.support import bare_environment

LONGEST = 600.0
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["jwp_pipeline_tests.campaign.child"])
ARGUMENTS = {
    "sync": [],
    "sync_all": ["--sync-all"],
    "push": ["--push"],
    "frequent": ["--skip-channel-fetch"],
    "events": [],
}


@dataclass
class Ran:
    """How a run ended."""

    code: int
    log: str
    peak: int = 0
    """Kilobytes at its highest; 0 if it was killed."""
    steps: int = 0
    done: tuple = ()
    error: str | None = None
    limited: bool = False
    """Whether a limit of the system was set, so that it may end in any way."""
    hung: bool = False
    checks_failed: bool = False
    """Whether only a check of Dagster failed, which says itself what to do."""


def run_forked(job, *, ask, is_limited=False, on_stop=lambda pid: None):
    """Make a run in a forked process. `ask` answers its questions; `on_stop` is called once it has been stopped."""
    ours, theirs = _forks.Pipe()
    process = _forks.Process(target=child.main, args=(job, theirs))
    process.start()
    theirs.close()
    report, stopped, deadline, hung = {}, False, time.monotonic() + LONGEST, False
    while True:
        if ours.poll(0.02):
            try:
                said = ours.recv()
            except (EOFError, OSError):
                break
            if isinstance(said, dict):
                report = said
                break
            ask(said)
            with suppress(OSError):
                ours.send("done")
        elif not stopped and _is_stopped(process.pid):
            stopped = True
            on_stop(process.pid)
        elif time.monotonic() > deadline:
            hung = True
            process.kill()
            break
    process.join(10)
    if process.is_alive():
        hung = True
        process.kill()
        process.join()
    code = process.exitcode
    process.close()
    ours.close()
    return Ran(
        code,
        read_log(job.log),
        report.get("peak", 0),
        report.get("steps", 0),
        tuple(report.get("done", ())),
        report.get("error"),
        limited=is_limited,
        hung=hung,
    )


def run_command(name, folder, environment, *, watch):
    """Run the real jwpfetch. `watch` is called with its process again and again until it ends."""
    program = Path(sys.executable).with_name("jwpfetch")
    log = Path(folder) / "log"
    with log.open("wb") as file:
        command = [program, *ARGUMENTS[name]]
        process = subprocess.Popen(command, cwd=folder, env=bare_environment(**environment), stdout=file, stderr=file)
        deadline, hung = time.monotonic() + LONGEST, False
        while process.poll() is None:
            watch(process)
            if time.monotonic() > deadline:
                hung = True
                process.kill()
            time.sleep(0.02)
    return Ran(process.returncode, read_log(log), hung=hung)


def send(pid, name):
    """Send a signal, unless the process has ended already."""
    with suppress(ProcessLookupError):
        os.kill(pid, getattr(signal, name))


def _is_stopped(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    except OSError:
        return False
