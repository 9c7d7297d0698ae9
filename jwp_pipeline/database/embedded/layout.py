"""The files of one embedded server, and the locks by which processes agree about it.

The locks are flocks: the kernel frees one when the last process that has it open ends, however it ends.
Process ids are never trusted, since they are reused.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
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
        self.last_port = folder / "port.last"  # where the next start tries first
        self.log = folder / "log"  # since the last start; `log.1` is from the start before

        self.start_lock = folder / "start.lock"  # whoever starts, joins or stops the server
        self.users_lock = folder / "users.lock"  # shared by all processes that use the server
        self.keeper_lock = folder / "keeper.lock"  # the keeper
        self.server_lock = folder / "server.lock"  # initdb, postgres and their children, which inherit it

    @classmethod
    def of(cls, home: Path) -> Layout:
        """The layout in JWP_HOME."""
        return cls(home.expanduser().resolve() / "postgres")

    def retire_port(self) -> None:
        """The server is not ready any more; remember its port for the next start."""
        if os.path.lexists(self.port):
            _remove(self.last_port)
            self.port.replace(self.last_port)

    def ready_port(self) -> int | None:
        """The port of the server that is ready; None when the file does not hold one."""
        return _number(self.port, range(1, 65536))

    def preferred_port(self) -> int:
        """The port of the last start; 0 when there was none, or when it cannot be read: it is only a preference."""
        return _number(self.last_port, range(1, 65536)) or 0

    def major(self) -> int | None:
        """The major version of the PostgreSQL that made the data; None when the data folder does not say."""
        return _number(self.data / "PG_VERSION", range(1, 1000))

    def kept_password(self) -> str | None:
        """The password of user `postgres`; None when the file is missing or does not hold one of ours."""
        return _matching(self.password, r"[A-Za-z0-9_-]{20,100}")


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all, in place of whatever is there."""
    new = path.with_name(path.name + ".new")
    _remove(new)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    if path.is_dir():
        _remove(path)
    new.replace(path)


def _remove(path: Path) -> None:
    """Remove one of our own files, even if there is a folder in its place."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _number(path: Path, allowed: range) -> int | None:
    text = _matching(path, r"[0-9]{1,5}")
    return int(text) if text is not None and int(text) in allowed else None


def _matching(path: Path, pattern: str) -> str | None:
    """What a small file holds, without blanks around it; None when it cannot be read or holds something else."""
    try:
        text = path.read_text().strip()
    except (OSError, ValueError):
        return None
    return text if re.fullmatch(pattern, text, re.ASCII) else None


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
