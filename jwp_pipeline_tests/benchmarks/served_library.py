"""Runs the simulated site in its own process, with a bulk library that changes on request.

The process prints one line of JSON with the environment for each API, and ends when its stdin is closed.
"""

import argparse
import json
import subprocess
import sys
import urllib.request
from contextlib import contextmanager

SHARE_CHANGED = 100
"""A change of the library changes one of this many videos."""


@contextmanager
def served_library(videos, *, cwd, environment, channels=None, window=None):
    """Yield a running library, which has `environments` by API and a method `change()`.

    By default it has as many channels as the videos fill.
    """
    command = [sys.executable, "-m", __name__, "--videos", str(videos)]
    command += [] if channels is None else ["--channels", str(channels)]
    command += [] if window is None else ["--window", str(window)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=cwd, env=environment, text=True, **pipes) as process:
        try:
            yield _ServedLibrary(json.loads(process.stdout.readline()))
        finally:
            process.stdin.close()


class _ServedLibrary:
    def __init__(self, environments):
        self.environments = environments
        self.url = environments["v1"]["JWPLATFORM_MANAGEMENT_API_URL"]

    def change(self):
        """Change 1 % of the videos, and return how many that is."""
        request = urllib.request.Request(f"{self.url}/simulator/evolve", method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["changed"]


class Changes:
    """The target of the simulator's control routes. Each step gives every hundredth video a new title."""

    def __init__(self, library):
        self._library = library
        self._steps = 0

    def evolve(self):
        self._steps += 1
        with self._library.lock:
            keys = self._library.keys("video")[::SHARE_CHANGED]
            for key in keys:
                video = self._library.get("video", key)
                title = f"{video['title'].split(', revision')[0]}, revision {self._steps}"
                self._library.edit("video", key, title=title, updated=video["updated"] + 1)
        return {"changed": len(keys)}

    def state(self):
        return {"steps": self._steps}


def main():
    from jwp_pipeline.simulator import Behaviour, Simulator, bulk_library

    parser = argparse.ArgumentParser()
    parser.add_argument("--videos", type=int, required=True)
    parser.add_argument("--channels", type=int)
    parser.add_argument("--window", type=int, default=Behaviour().window)
    options = parser.parse_args()
    library = bulk_library(options.videos, options.channels)
    with Simulator(library, Behaviour(window=options.window), control=Changes(library)) as simulator:
        print(json.dumps({api: simulator.environment(api) for api in ("v1", "v2")}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
