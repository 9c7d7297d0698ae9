"""Reads the libraries that change over time, and the states that the reference implementation reaches after each step.

`README.md` in this folder describes the files. Put here everything that reads them.
"""

import json
import lzma
from pathlib import Path

SCENARIOS = ("first_sync", "updates", "deletions", "channels", "evolving")

_FOLDER = Path(__file__).parent


def steps(name):
    """Yield each step, which holds what JWP lists and the options of the sync, with the reference's state after it."""
    scenario, golden = (_read(folder, name) for folder in ("scenarios", "states"))
    for step, reached in zip(scenario["steps"], golden["steps"], strict=True):
        assert (step["name"], step["options"]) == (reached["name"], reached["options"])
        yield step, reached["state"]


def _read(folder, name):
    with lzma.open(_FOLDER / folder / f"{name}.json.xz", "rt", encoding="utf-8") as file:
        return json.load(file)
