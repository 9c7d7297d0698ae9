"""Runs a program with the settings of the site, or of the simulated JW Platform if none is configured.

This is for applications on the record, such as the portal in examples/.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from jwp_pipeline.environment import child_environment
from jwp_pipeline.errors import PipelineError
from jwp_pipeline.processes import guarded, stop_requests
from jwp_pipeline.settings import Settings

# How long the program has to end after it was asked to.
_STOP_SECONDS = 5.0
_LOOK_SECONDS = 0.2


def run_with_site(settings: Settings, command: Sequence[str]) -> int:
    """Run `command` with `settings` in its environment until it ends or we are asked to stop. Returns its exit code.

    The program ends when this process does, even if that is killed. Raises PipelineError if there is no such program.
    """
    if shutil.which(command[0]) is None:
        raise PipelineError(f"There is no program {command[0]!r} to run; give its name or path after `--`.")
    environment = child_environment(settings)
    with stop_requests() as stop, guarded(command, seconds=_STOP_SECONDS, cwd=Path.cwd(), env=environment) as child:
        while child.poll() is None and not stop:
            time.sleep(_LOOK_SECONDS)
    return 0 if stop else int(child.returncode or 0)
