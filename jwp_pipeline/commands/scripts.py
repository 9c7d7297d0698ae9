"""The console scripts. They load the commands, and end in one line if they are interrupted at any moment.

Put here nothing else: until a command is loaded, this module is all that runs.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from types import FrameType, ModuleType
from typing import NoReturn

from jwp_pipeline.errors import INTERRUPTED


def jwpfetch() -> int:
    """Run `jwpfetch`, and return its exit code."""
    return _interruptible(lambda cli: cli.jwpfetch())


def jwp_pipeline() -> int:
    """Run `jwp-pipeline`, and return its exit code."""
    return _interruptible(lambda cli: cli.main())


def _interruptible(command: Callable[[ModuleType], int]) -> int:
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:
        # A module that is being imported may catch a KeyboardInterrupt, and then the command would go on.
        signal.signal(signal.SIGINT, _end)
    from jwp_pipeline.commands import cli

    signal.signal(signal.SIGINT, handler)
    try:
        return command(cli)
    except KeyboardInterrupt:
        _end()
    finally:
        # All that is left to do is to end, and an interrupt would only print a traceback.
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _end(_number: int = signal.SIGINT, _frame: FrameType | None = None) -> NoReturn:
    os.write(2, f"{INTERRUPTED}\n".encode())
    os._exit(1)
