"""Runs programs that end when the process that started them ends, even if that is killed with kill -9.

There are three ways to do this, and each has a purpose that the others do not serve:

1. A *guardian* (`guarded`), for a program that is not ours and starts others: `dagster dev`. An intermediate process
   checks whether its parent is still alive. If not, it asks the program to end, and finally kills its process group.
2. The *parent death signal* (`end_with`), for a single program that is not ours: initdb and postgres, which end with
   their keeper. The kernel sends it, so no process has to wait; but only Linux has it, and grandchildren do not get it.
3. *Locks* (database/embedded/layout.py), for a program that several processes use and that outlives the one that
   started it (`start_with_lock`): the keeper of the embedded PostgreSQL, and the server of the demo's site. The kernel
   frees a process's lock when the process ends, and the program ends once no process holds the lock.

`python -m jwp_pipeline.processes PARENT SECONDS COMMAND…` is the guardian.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import BinaryIO

_LOOK_SECONDS = 0.2
# A program that outlives us gets only these variables of our environment: it needs no secrets, and PostgreSQL would
# obey PG* variables.
_PASSED_ON = ("PATH", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
# How long the guardian may take in addition to the command's own time to stop.
_MARGIN_SECONDS = 5.0

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def end_with(parent: int) -> None:
    """On Linux, make the kernel interrupt this process (SIGINT) when its parent process `parent` ends.

    Call this before exec, which keeps the setting, and after the last change of the user, which clears it. On other
    systems it does nothing.
    """
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)
        if os.getppid() != parent:
            # The parent ended before the signal was requested.
            os._exit(1)


@contextmanager
def guarded(
    command: Sequence[str], *, seconds: float, cwd: Path, env: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command under a guardian, and yield the guardian, which ends with the command and returns its exit code.

    When the block or this process ends, even with kill -9, the command is interrupted (SIGINT). After `seconds` at
    most it is killed, together with the processes that it started and that are still in its process group.
    """
    guardian = subprocess.Popen(
        [sys.executable, "-m", __name__, str(os.getpid()), str(seconds), *command],
        cwd=cwd,
        env=env,
        start_new_session=True,
    )
    try:
        yield guardian
    finally:
        if guardian.poll() is None:
            guardian.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                guardian.wait(seconds + _MARGIN_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(guardian.pid, signal.SIGKILL)
        guardian.wait()


def start_with_lock(
    module: str, *arguments: str, lock: int, log: BinaryIO | int, folder: Path
) -> subprocess.Popen[bytes]:
    """Start a module of ours as a program that outlives this process, and give it a lock that this process has taken.

    It gets `arguments` and `--lock=DESCRIPTOR`, runs in `folder`, and writes to `log`.
    """
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    environment["PYTHONPATH"] = str(Path(__file__).parents[1])
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module, *arguments, f"--lock={lock}"],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd=folder,
        env=environment,
        pass_fds=[lock],
        start_new_session=True,
    )


@contextmanager
def stop_requests() -> Iterator[list[int]]:
    """Collect signals that ask to stop (SIGINT, SIGTERM) in the yielded list, instead of ending the process."""
    received: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        received.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def main() -> int:
    """Guard one command, and return its exit code. If the parent is gone, kill the whole process group instead."""
    parent, seconds, command = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
    asked: list[int] = []
    # A shell's background jobs ignore SIGINT. With handlers set here, the command does not inherit that.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _frame: asked.append(received))
    child = subprocess.Popen(command)
    while child.poll() is None and not asked and os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    if child.poll() is None:
        child.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            # Wait only half as long if the parent is gone, because whoever killed it wants everything to end.
            child.wait(seconds if os.getppid() == parent else seconds / 2)
    if os.getppid() != parent:
        os.killpg(0, signal.SIGKILL)
    return 1 if child.returncode is None else abs(child.returncode)


if __name__ == "__main__":
    sys.exit(main())
