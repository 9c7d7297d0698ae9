"""Libraries over time, and the state that the reference implementation reaches after each step.

`README.md` in this folder says what the files hold. What reads these files, or plays them, belongs here.
"""

import json
import lzma
from pathlib import Path

SCENARIOS = ("first_sync", "updates", "deletions", "channels", "evolving")

_FOLDER = Path(__file__).parent


def steps(name):
    """(step, state) of each step: what JWP lists and the options of the sync, and what the reference has after it."""
    scenario, golden = (_read(folder, name) for folder in ("scenarios", "states"))
    for step, reached in zip(scenario["steps"], golden["steps"], strict=True):
        assert (step["name"], step["options"]) == (reached["name"], reached["options"])
        yield step, reached["state"]


def _read(folder, name):
    with lzma.open(_FOLDER / folder / f"{name}.json.xz", "rt", encoding="utf-8") as file:
        return json.load(file)
