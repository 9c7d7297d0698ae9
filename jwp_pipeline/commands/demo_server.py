"""The process that serves the demo's JW Platform, for all commands that use the same JWP_HOME at the same time.

The first command starts it (see demo.py) and passes it the server's lock. It keeps the site in a file, and ends once
nobody holds the users' lock any more. It writes only to its log.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from jwp_pipeline.commands.demo_files import REQUESTS_PER_MINUTE, DemoFiles
from jwp_pipeline.database.embedded.layout import is_free, open_lock, try_lock, unlock, write_private
from jwp_pipeline.simulator import Behaviour, Demo, Simulator
from jwp_pipeline.simulator.keeping import kept, restored

_LOOK_SECONDS = 0.2


def main() -> int:
    """Serve the site of a folder (see `--help`) until nobody uses it."""
    parser = argparse.ArgumentParser(description="Serves the demo's JW Platform while somebody uses it.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--start", type=int, required=True, help="when a new library begins, in epoch seconds")
    parser.add_argument("--lock", type=int, required=True, help="descriptor that holds the server's lock")
    options = parser.parse_args()
    os.set_inheritable(options.lock, False)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    files = DemoFiles(options.folder)
    demo, secrets = _site(files, options.start)
    with _served(files, demo, secrets) as simulator:
        saved = _version(demo)
        users, start = open_lock(files.users_lock), open_lock(files.start_lock)
        while not _is_unused(users, start):
            time.sleep(_LOOK_SECONDS)
            demo.move_on(time.time())
            if _version(demo) != saved:
                saved = _version(demo)
                _save(files, demo, simulator)
    return 0


def _site(files: DemoFiles, start: int) -> tuple[Demo, Mapping[str, str] | None]:
    """Return the kept demo with its secrets, or a new one if there is none or the file is damaged."""
    # A file may be damaged in many ways, and a demo is not worth more than to begin anew.
    with suppress(OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return restored(json.loads(files.site.read_bytes()), time.time)
    return Demo(start=start, clock=time.time), None


@contextmanager
def _served(files: DemoFiles, demo: Demo, secrets: Mapping[str, str] | None) -> Iterator[Simulator]:
    """Serve the site during the block and say so in a file. The site is kept at the end, even after an error."""
    simulator = _listening(files, demo, secrets)
    try:
        _save(files, demo, simulator)
        write_private(files.served, json.dumps(simulator.environment()))
        yield simulator
    finally:
        simulator.stop()
        _save(files, demo, simulator)


def _listening(files: DemoFiles, demo: Demo, secrets: Mapping[str, str] | None) -> Simulator:
    """Return a simulator that listens, if possible on the same port as the last time, so that links go on working."""
    behaviour = Behaviour(requests_per_minute=REQUESTS_PER_MINUTE)
    common: dict[str, Any] = {"control": demo, "faults": demo.faults, "secrets": secrets}
    last = files.last_port()
    if last:
        with suppress(OSError):
            simulator = Simulator(demo.library, behaviour, port=last, **common)
            simulator.start()
            return simulator
    simulator = Simulator(demo.library, behaviour, **common)
    simulator.start()
    return simulator


def _version(demo: Demo) -> tuple[int, int, str | None]:
    return demo.library.version, demo.generation, demo.trouble


def _save(files: DemoFiles, demo: Demo, simulator: Simulator) -> None:
    write_private(files.site, json.dumps(kept(demo, simulator.secrets)))


def _is_unused(users: int, start: int) -> bool:
    """Whether nobody uses the server. If so, the start lock is held until the end, so that nobody joins it any more."""
    # Do not wait for the start lock: the process that has it may be joining, and would wait for us.
    if is_free(users) and try_lock(start):
        if is_free(users):
            return True
        unlock(start)
    return False


if __name__ == "__main__":
    sys.exit(main())
