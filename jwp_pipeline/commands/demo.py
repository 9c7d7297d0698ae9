"""Runs the simulator in its own process, in place of a real site, for people who have no JW Platform at hand.

This happens only if no JWPLATFORM_* credential is configured at all; check `required_settings` reports an incomplete
configuration. The simulator itself is in simulator/.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from jwp_pipeline.errors import PipelineError
from jwp_pipeline.home import keep_in_home
from jwp_pipeline.processes import with_life_line
from jwp_pipeline.settings import Settings, load_settings

_MOST_GENERATIONS = 10_000


@dataclass(frozen=True, slots=True)
class Demo:
    """A running simulator."""

    url: str
    generation: int
    settings: Settings
    """The configured settings, with the simulator as the JWP site."""

    @property
    def announcement(self) -> str:
        """A sentence that tells the user about the simulator."""
        return (
            "No JWPLATFORM_* credential is configured: a simulated JW Platform stands in for one "
            f"({self.url}, day {self.generation} of its library)."
        )


@contextmanager
def simulator_if_unconfigured(settings: Settings, *, advance: bool) -> Iterator[Demo | None]:
    """Run the simulator during the block and yield it, or yield None if a real site is configured.

    With `advance`, its library is a day older than the last time, so that there is something to see.
    """
    if settings.has_jwp_credentials:
        yield None
        return
    generation = _generation(settings.jwp_home, advance=advance)
    command = [sys.executable, "-m", "jwp_pipeline.simulator", "--generation", str(generation)]
    with with_life_line(command) as said:
        ready = said.readline()
        if not ready:
            raise PipelineError("The simulated JW Platform did not start; see the lines above.")
        announced = json.loads(ready)
        site = {name.lower(): value for name, value in announced["environment"].items()}
        yield Demo(announced["url"], generation, load_settings(**site))


def _generation(home: Path, *, advance: bool) -> int:
    remembered = home / "demo.json"
    try:
        generation = json.loads(remembered.read_bytes())["generation"]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        generation = None
    # Without a usable number the library starts again at day 0. A huge number is not usable, because the simulator
    # makes up every day until then.
    begun = type(generation) is int and 0 <= generation < _MOST_GENERATIONS
    generation = generation + int(advance) if begun else 0
    keep_in_home(remembered, json.dumps({"generation": generation}).encode())
    return generation
