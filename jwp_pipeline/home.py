"""Writes our files under JWP_HOME, except those of the embedded PostgreSQL (database/embedded)."""

from __future__ import annotations

import secrets
from pathlib import Path

from jwp_pipeline.errors import SettingsError


def keep_in_home(path: Path, content: bytes) -> None:
    """Write a file under JWP_HOME atomically: other processes read either the old content or the new one.

    A file that already has this content is not written. Raises SettingsError if the folder cannot be used.
    """
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.read_bytes() == content:
            return
        try:
            unfinished.write_bytes(content)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise SettingsError(
            f"JWP_HOME cannot be used: {error.strerror}: {error.filename}. "
            "Set it to a folder that may be written to, on a disk with space."
        ) from None
