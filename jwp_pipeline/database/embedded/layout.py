"""The files of one embedded server, and the locks with which processes coordinate its use.

The locks are flocks. The kernel frees a lock when the last process that has it open ends, however it ends. Process ids
are never trusted, because the system reuses them.
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
        self.data = folder / "data"  # PostgreSQL's data folder; exists only once it is complete
        self.unfinished = folder / "data.new"  # the folder in which `data` is created
        self.password = folder / "password"  # the password of user postgres, with mode 0600
        self.port = folder / "port"  # exists while the server is ready, and stays if the keeper is killed
        self.last_port = folder / "port.last"  # the port that the next start tries first
        self.log = folder / "log"  # the log since the last start; `log.1` is the previous one

        self.start_lock = folder / "start.lock"  # held by a process that starts, joins or stops the server
        self.users_lock = folder / "users.lock"  # shared by all processes that use the server
        self.keeper_lock = folder / "keeper.lock"  # held by the keeper
        self.server_lock = folder / "server.lock"  # held by initdb, postgres and their children, which inherit it

    @classmethod
    def of(cls, home: Path) -> Layout:
        """Return the layout in JWP_HOME."""
        return cls(home.expanduser().resolve() / "postgres")

    def retire_port(self) -> None:
        """Remove the port file, because the server is no longer ready, and keep the port for the next start."""
        if os.path.lexists(self.port):
            _remove(self.last_port)
            self.port.replace(self.last_port)

    def ready_port(self) -> int | None:
        """Return the port of the running server, or None if the file does not contain a port."""
        return _number(self.port, range(1, 65536))

    def preferred_port(self) -> int:
        """Return the port of the last start, or 0 if there is none or it cannot be read."""
        return _number(self.last_port, range(1, 65536)) or 0

    def major(self) -> int | None:
        """Return the major version of the PostgreSQL that made the data, or None if the data folder does not say."""
        return _number(self.data / "PG_VERSION", range(1, 1000))

    def kept_password(self) -> str | None:
        """Return the password of user `postgres`, or None if the file is missing or damaged."""
        return _matching(self.password, r"[A-Za-z0-9_-]{20,100}")


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, atomically, replacing whatever is there."""
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
    """Remove one of our files, even if there is a folder in its place."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _number(path: Path, allowed: range) -> int | None:
    text = _matching(path, r"[0-9]{1,5}")
    return int(text) if text is not None and int(text) in allowed else None


def _matching(path: Path, pattern: str) -> str | None:
    """Return a file's text without surrounding blanks, or None if it cannot be read or does not match the pattern."""
    try:
        text = path.read_text().strip()
    except (OSError, ValueError):
        return None
    return text if re.fullmatch(pattern, text, re.ASCII) else None


def open_lock(path: Path) -> int:
    """Open a descriptor for a lock; it is closed on exec."""
    return os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)


def try_lock(descriptor: int) -> bool:
    """Take the exclusive lock if it is free at this moment. Returns whether it was taken."""
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
    """Release the lock, also for all processes that inherited it."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait for the exclusive lock, and hold it during the block."""
    descriptor = open_lock(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
