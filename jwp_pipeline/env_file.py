"""Finds and reads the file with the settings: `.env` in the working directory, or a file that is named.

Dagster's own commands read only `.env` in the working directory. A cron job starts in another folder, so it names the
file with `--env-file` or with the environment variable JWP_ENV_FILE. Relative paths in settings are relative to the
file's folder, wherever a command is started. Put here what concerns the file itself; settings.py interprets its lines.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from dotenv import dotenv_values

from jwp_pipeline.errors import SettingsError

VARIABLE = "JWP_ENV_FILE"
SETTLED_VARIABLE = "JWP_SETTLED_ENV_FILE"
"""Names the file that a parent process has read. It is set for child processes, whose environment has all settings."""


@dataclass(frozen=True, slots=True)
class EnvFile:
    """A file with settings. It has to exist only if it was named."""

    path: Path
    named: bool = False
    settled: bool = False
    """Whether a parent process has read the file. Its values are then in the environment, and are not read again."""

    @property
    def description(self) -> str:
        """Where settings come from, and what to do if that is the wrong place, for messages."""
        if self.path.exists():
            return f"Settings are read from {self.path} and the environment."
        return (
            f"There is no file {self.path}, so settings are read from the environment alone. If you have a .env, start "
            f"in its folder, or name it: --env-file PATH, or {VARIABLE}=PATH."
        )

    def lines(self) -> Mapping[str, str | None]:
        """Return the values in the file by name, or nothing if there is no file. Raises SettingsError."""
        try:
            if not os.path.lexists(self.path) and not self.named:
                return {}
            if not self.path.is_file():
                what = "is no file" if self.path.exists() else "does not exist"
                raise SettingsError(f"{self.path} {what}. Settings are to be read from there: name another file.")
            found = self.path.stat()
            return _parsed(self.path, found.st_ino, found.st_size, found.st_mtime_ns)
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            # `from None`, because a UnicodeDecodeError contains the whole text.
            raise SettingsError(
                f"{self.path} cannot be read: {why}. Save it as UTF-8, readable for this user."
            ) from None

    def absolute(self, path: Path) -> Path:
        """Resolve a path from a setting relative to the file's folder, expanding a leading `~` or `$NAME`.

        Raises ValueError if there is no such user or variable.
        """
        first, *rest = path.parts or (".",)
        if first.startswith("$"):
            first = os.path.expandvars(first)
            if first.startswith("$"):
                raise ValueError("begins with a variable that is not set")
        try:
            return self.path.parent / Path(first, *rest).expanduser()
        except RuntimeError:
            raise ValueError("begins with ~, and there is no such user, or no home folder of this one") from None


def env_file() -> EnvFile:
    """Return the file that this process reads settings from."""
    if settled := os.environ.get(SETTLED_VARIABLE):
        return EnvFile(Path(settled), settled=True)
    if named := os.environ.get(VARIABLE):
        return EnvFile(_full(Path(named)), named=True)
    return EnvFile(Path.cwd() / ".env")


def _full(path: Path) -> Path:
    full = Path.cwd() / path.expanduser()
    # If the file is a symbolic link, its folder is that of the link, not of the target.
    return full.parent.resolve() / full.name


@contextmanager
def reading_from(path: Path | None) -> Iterator[None]:
    """Read settings from the named file during the block; None changes nothing."""
    before = os.environ.get(VARIABLE)
    if path is not None:
        os.environ[VARIABLE] = str(_full(path))
    try:
        yield
    finally:
        if path is not None:
            os.environ.pop(VARIABLE)
            os.environ |= {VARIABLE: before} if before is not None else {}


# The result is cached because a run asks for its settings many times. An edited file has different arguments.
@lru_cache(maxsize=1)
def _parsed(path: Path, _inode: int, _size: int, _changed: int) -> Mapping[str, str | None]:
    # Editors on Windows put a byte order mark before the first name, and it must not become part of that name.
    return MappingProxyType(dotenv_values(path, encoding="utf-8-sig"))
