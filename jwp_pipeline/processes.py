"""Commands of which nothing is left when we end, however we end: a guardian runs them, in a session of its own.

`python -m jwp_pipeline.processes PARENT SECONDS COMMAND…` is that guardian. Not here: what the commands do.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

_LOOK_SECONDS = 0.2
# What the guardian needs beyond the command's own time to stop.
_MARGIN_SECONDS = 5.0


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
