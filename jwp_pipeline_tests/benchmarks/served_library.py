"""Runs the simulated site in its own process, with a bulk library that changes on request.

The process prints one line of JSON with the environment for each API, changes the library for each line that it reads,
and ends when its stdin is closed.
"""

import argparse
import json
import subprocess
import sys
from contextlib import contextmanager

SHARE_CHANGED = 100
"""A change of titles changes one of this many videos."""


@contextmanager
def served_library(videos, *, cwd, environment, channels=None, window=None):
    """Yield a running library, which has `environments` by API and a method `change(what)`.

    By default it has as many channels as the videos fill.
    """
    command = [sys.executable, "-m", __name__, "--videos", str(videos)]
    command += [] if channels is None else ["--channels", str(channels)]
    command += [] if window is None else ["--window", str(window)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=cwd, env=environment, text=True, **pipes) as process:
        try:
            yield _ServedLibrary(process)
        finally:
            process.stdin.close()


class _ServedLibrary:
    def __init__(self, process):
        self._process = process
        self.environments = json.loads(process.stdout.readline())

    def change(self, what):
        """Change the `titles` of 1 % of the videos, or the `views` of all. Returns how many videos that is."""
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


class _Changes:
    """Changes the library in steps, each of which can be told from the one before."""

    def __init__(self, library):
        self._library = library
        self._steps = 0

    def make(self, what):
        self._steps += 1
        with self._library.lock:
            keys = self._library.keys("video")
            if what == "titles":
                keys = keys[::SHARE_CHANGED]
            for key in keys:
                self._library.edit("video", key, **getattr(self, f"_{what}")(self._library.get("video", key)))
        return len(keys)

    def _titles(self, video):
        title = f"{video['title'].split(', revision')[0]}, revision {self._steps}"
        return {"title": title, "updated": video["updated"] + 1}

    def _views(self, video):
        return {"views": video["views"] + self._steps}


def main():
    from jwp_pipeline.simulator import Behaviour, Simulator, bulk_library

    parser = argparse.ArgumentParser()
    parser.add_argument("--videos", type=int, required=True)
    parser.add_argument("--channels", type=int)
    parser.add_argument("--window", type=int, default=Behaviour().window)
    options = parser.parse_args()
    library = bulk_library(options.videos, options.channels)
    with Simulator(library, Behaviour(window=options.window)) as simulator:
        print(json.dumps({api: simulator.environment(api) for api in ("v1", "v2")}), flush=True)
        changes = _Changes(library)
        for line in sys.stdin:
            print(changes.make(line.strip()), flush=True)


if __name__ == "__main__":
    main()
