"""The file that settings are read from: `.env` of the working directory, or another one that is named.

Dagster's own commands read `.env` of the working directory and no other. A cron job is started elsewhere, so there the
file is named, by `--env-file` or by the environment variable JWP_ENV_FILE. Relative paths in settings are relative to
the file's folder, wherever a command is started. Put here what is about the file as such; what its lines mean is for
settings.py.
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
"""Set for a child process whose environment holds all settings already: the file that its parent read."""


@dataclass(frozen=True, slots=True)
class EnvFile:
    """A file of settings, which need not exist unless it was named."""

    path: Path
    named: bool = False
    settled: bool = False
    """Whether a parent process has read it: then its values are in the environment, and are not read again."""

    @property
    def description(self) -> str:
        """For messages: where settings come from, and what to do when that is the wrong place."""
        if self.path.exists():
            return f"Settings are read from {self.path} and the environment."
        return (
            f"There is no file {self.path}, so settings are read from the environment alone. If you have a .env, start "
            f"in its folder, or name it: --env-file PATH, or {VARIABLE}=PATH."
        )

    def lines(self) -> Mapping[str, str | None]:
        """Name → value as the file has them; nothing when there is no file. Raises SettingsError."""
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
            # `from None`: a UnicodeDecodeError carries all that it could not read.
            raise SettingsError(
                f"{self.path} cannot be read: {why}. Save it as UTF-8, readable for this user."
            ) from None

    def absolute(self, path: Path) -> Path:
        """A path of a setting, relative to the file's folder, with a `~` or `$NAME` that it begins with expanded.

        Raises ValueError.
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
    """The file that settings are read from in this process."""
    if settled := os.environ.get(SETTLED_VARIABLE):
        return EnvFile(Path(settled), settled=True)
    if named := os.environ.get(VARIABLE):
        return EnvFile(_full(Path(named)), named=True)
    return EnvFile(Path.cwd() / ".env")


def _full(path: Path) -> Path:
    full = Path.cwd() / path.expanduser()
    # A file that is a link belongs to the folder of the link.
    return full.parent.resolve() / full.name


@contextmanager
def reading_from(path: Path | None) -> Iterator[None]:
    """Have settings read from a named file while the block runs; with None, from where they are read anyway."""
    before = os.environ.get(VARIABLE)
    if path is not None:
        os.environ[VARIABLE] = str(_full(path))
    try:
        yield
    finally:
        if path is not None:
            os.environ.pop(VARIABLE)
            os.environ |= {VARIABLE: before} if before is not None else {}


# A run asks for its settings many times. What tells an edited file from the one that was read are the arguments.
@lru_cache(maxsize=1)
def _parsed(path: Path, _inode: int, _size: int, _changed: int) -> Mapping[str, str | None]:
    # Windows' editors put a byte order mark before the first name; it is no part of it.
    return MappingProxyType(dotenv_values(path, encoding="utf-8-sig"))
