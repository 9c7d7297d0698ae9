"""The files of one embedded server, and the locks by which processes agree about it.

The locks are flocks: the kernel frees one when the last process that has it open ends, however it ends.
Process ids are never trusted, since they are reused.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Layout:
    """The paths in a server's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"  # PostgreSQL's; exists only when complete
        self.unfinished = folder / "data.new"  # where `data` is made
        self.password = folder / "password"  # of user postgres; mode 0600, as old as `data`
        self.port = folder / "port"  # exists while the server is ready, or was when its keeper was killed
        self.last_port = folder / "port.last"
        self.log = folder / "log"  # since the last start; `log.1` is from the start before

        self.start_lock = folder / "start.lock"  # whoever starts, joins or stops the server
        self.users_lock = folder / "users.lock"  # shared by all processes that use the server
        self.keeper_lock = folder / "keeper.lock"  # the keeper
        self.server_lock = folder / "server.lock"  # initdb, postgres and their children, which inherit it

    @classmethod
    def of(cls, home: Path) -> Layout:
        """The layout in JWP_HOME."""
        return cls(home.resolve() / "postgres")

    def retire_port(self) -> None:
        """The server is not ready any more; remember its port for the next start."""
        if self.port.exists():
            self.port.replace(self.last_port)

    def preferred_port(self) -> int:
        """The port of the last start; 0 when there was none."""
        return int(self.last_port.read_text()) if self.last_port.exists() else 0


def open_lock(path: Path) -> int:
    """A descriptor to lock, closed on exec."""
    return os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)


def try_lock(descriptor: int) -> bool:
    """Take the exclusive lock if it is free at this moment."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_free(descriptor: int) -> bool:
    """Whether nobody else holds the lock at this moment."""
    free = try_lock(descriptor)
    if free:
        unlock(descriptor)
    return free


def unlock(descriptor: int) -> None:
    """Give the lock up, also on behalf of all who inherited it."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the exclusive lock; waits for it."""
    descriptor = open_lock(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
