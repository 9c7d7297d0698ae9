"""Reads the values of command-line options. Put here types of arguments that argparse does not have."""

from __future__ import annotations

import argparse
import re

_LAST_PORT = 65_535


def snapshot_id(text: str) -> int:
    """Read the id of a snapshot, which is a positive bigint."""
    if not re.fullmatch("[0-9]{1,19}", text) or not 0 < int(text) < 2**63:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not the id of a snapshot; table raw_snapshots has them")
    return int(text)


def port_number(text: str) -> int:
    """Read the number of a TCP port; 0 means any free one."""
    if not re.fullmatch("[0-9]{1,5}", text) or int(text) > _LAST_PORT:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not the number of a port, which is at most {_LAST_PORT}")
    return int(text)
