"""Child processes that do not outlive us. Not here: what the children do."""

from __future__ import annotations

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1
# Loaded before any fork: a child between fork and exec must not.
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent(parent: int, signal_number: int) -> None:
    """In a child before exec: get the signal when `parent` (its pid) dies. Linux; elsewhere nothing happens."""
    if sys.platform == "linux":
        _libc.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
