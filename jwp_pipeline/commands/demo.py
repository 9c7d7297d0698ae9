"""A JW Platform for whoever has none at hand: the simulator in a process of its own, in place of a real site.

Only where no JWPLATFORM_* credential is configured at all; half a configuration is for `required_settings` to
report. Not here: the simulator itself (simulator/).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jwp_pipeline.errors import PipelineError
from jwp_pipeline.home import keep_in_home
from jwp_pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class Demo:
    """A running simulator."""

    url: str
    generation: int

    @property
    def announcement(self) -> str:
        """What a newcomer is told."""
        return (
            "No JWPLATFORM_* credential is configured: a simulated JW Platform stands in for one "
            f"({self.url}, day {self.generation} of its library)."
        )


@contextmanager
def simulator_if_unconfigured(settings: Settings, *, advance: bool) -> Iterator[Demo | None]:
    """Run the simulator for the block and point this process's environment to it; None with a real site.

    `advance`: let a day pass in its library since the last time, so that there is something to see.
    """
    if settings.has_jwp_credentials:
        yield None
        return
    generation = _generation(settings.jwp_home, advance=advance)
    command = [sys.executable, "-m", "jwp_pipeline.simulator", "--generation", str(generation)]
    # The open pipe is its life line: it ends with this process, however this process ends.
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        try:
            ready = process.stdout.readline()
            if not ready:
                raise PipelineError("The simulated JW Platform did not start; see the lines above.")
            announced = json.loads(ready)
            os.environ.update(announced["environment"])
            yield Demo(announced["url"], generation)
        finally:
            process.stdin.close()


def _generation(home: Path, *, advance: bool) -> int:
    remembered = home / "demo.json"
    try:
        generation = int(json.loads(remembered.read_bytes())["generation"]) + int(advance)
    except (OSError, ValueError, TypeError, KeyError):
        # Not there yet, or spoilt: its library begins anew.
        generation = 0
    keep_in_home(remembered, json.dumps({"generation": generation}).encode())
    return generation
