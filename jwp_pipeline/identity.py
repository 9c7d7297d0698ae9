"""Names users and processes for the records that people read, such as who released a snapshot.

Put here how such a name is written; the tables and messages that show it are elsewhere.
"""

from __future__ import annotations

import getpass
import os
import socket


def current_user() -> str:
    """Return the user of this process and its host, such as `root@server`."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # In a container the user may have no name.
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"


def current_process() -> str:
    """Return this process in words, such as `process 4711 on server`."""
    return process_in_words(os.getpid(), socket.gethostname())


def process_in_words(process_id: int, host: str) -> str:
    """Return a process in words; only with its host is its id definite."""
    return f"process {process_id} on {host}"
