"""A JW Platform for whoever has none at hand: the simulator in a process of its own, in place of a real site.

Only where no JWPLATFORM_* credential is configured at all; half a configuration is for `required_settings` to
report. The simulator itself is in simulator/.
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
    """Those that were given, with the simulator as the JWP site."""

    @property
    def announcement(self) -> str:
        """What a newcomer is told."""
        return (
            "No JWPLATFORM_* credential is configured: a simulated JW Platform stands in for one "
            f"({self.url}, day {self.generation} of its library)."
        )


@contextmanager
def simulator_if_unconfigured(settings: Settings, *, advance: bool) -> Iterator[Demo | None]:
    """Run the simulator for the block; None with a real site.

    `advance`: let a day pass in its library since the last time, so that there is something to see.
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
    # Where there is none yet, or a spoilt one, its library begins anew. Years of days would take as long to make up.
    begun = type(generation) is int and 0 <= generation < _MOST_GENERATIONS
    generation = generation + int(advance) if begun else 0
    keep_in_home(remembered, json.dumps({"generation": generation}).encode())
    return generation
