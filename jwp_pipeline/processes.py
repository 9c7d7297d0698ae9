"""Programs that end when the process that started them does, however that ends: kill -9 included.

There are four ways, each for what the others cannot do:

1. A *life line* (`with_life_line`): the program reads its stdin and ends at its end, which comes when the last process
   that holds the other end of the pipe is gone. It is the simplest way, works on every system, and leaves the
   program time to end by itself. For programs of ours: the simulator.
2. A *guardian* (`guarded`), for a program that is not ours and starts others: `dagster dev`. A process of ours in
   between looks whether its parent still lives, asks the program to end, and in the end kills its whole group.
3. The *parent's death signal* (`end_with`), for a single program that is not ours: initdb and postgres, which end with
   their keeper. The kernel sends it, so nothing has to wait; but only Linux has it, and it covers no grandchildren.
4. *Locks* (database/embedded/layout.py), for a program that several processes use and that outlives the one that
   started it: the keeper of the embedded PostgreSQL. The kernel frees a user's lock when that user ends; the keeper
   stops once nobody holds one.

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
from typing import IO

_LOOK_SECONDS = 0.2
# What the guardian needs beyond the command's own time to stop.
_MARGIN_SECONDS = 5.0

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


@contextmanager
def with_life_line(command: Sequence[str]) -> Iterator[IO[str]]:
    """A running command that ends when its stdin does; what it writes to stdout.

    Its stdin ends with the block, which then waits for the command, or with this process.
    """
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        try:
            yield process.stdout
        finally:
            process.stdin.close()


def end_with(parent: int) -> None:
    """Have this process, a child of process `parent`, interrupted (SIGINT) when that ends; on Linux, else do nothing.

    To be called before exec, which leaves it in force, and after the last change of the user.
    """
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)
        if os.getppid() != parent:
            # It has ended before it could be asked for the signal.
            os._exit(1)


@contextmanager
def guarded(
    command: Sequence[str], *, seconds: float, cwd: Path, env: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """The guardian of a running command; it ends when the command does, with its exit code.

    When the block ends, or this process does, even by kill -9, the command is interrupted (SIGINT); after `seconds`
    at the most it is killed, and with it whatever it started and left in its process group.
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


def main() -> int:
    """Guard one command; see above. Returns its exit code, while there is a parent that will kill what is left."""
    parent, seconds, command = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
    asked: list[int] = []
    # Handlers of ours also undo, for the command, that a shell's background jobs ignore SIGINT.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _frame: asked.append(received))
    child = subprocess.Popen(command)
    while child.poll() is None and not asked and os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    if child.poll() is None:
        child.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            # Half of it without a parent: whoever killed that wants an end.
            child.wait(seconds if os.getppid() == parent else seconds / 2)
    if os.getppid() != parent:
        os.killpg(0, signal.SIGKILL)
    return 1 if child.returncode is None else abs(child.returncode)


if __name__ == "__main__":
    sys.exit(main())
