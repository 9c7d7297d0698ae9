"""Keeps the secrets of our webhooks at hand, also those that are added to the file while the receiver runs.

A new webhook has a new secret, and JW Platform may use it at once. Put here where secrets are read from and written to.
"""

from __future__ import annotations

import os
from pathlib import Path

from jwp_pipeline.errors import SettingsError, WebhookError
from jwp_pipeline.settings import Settings


class KnownSecrets:
    """The secrets in JWP_WEBHOOK_SECRETS, and those in JWP_WEBHOOK_SECRETS_FILE as it is now."""

    def __init__(self, settings: Settings) -> None:
        self._listed = settings.webhook_secrets
        self._path = settings.jwp_webhook_secrets_file
        self._state: tuple[int, int, int] | None = None
        self._in_file: tuple[str, ...] = ()

    def now(self) -> tuple[str, ...]:
        """Return all secrets. A file that does not exist (yet) has none. Raises SettingsError if it cannot be read."""
        if self._path is None:
            return self._listed
        try:
            stat = self._path.stat()
            state = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
            if state != self._state:
                self._in_file, self._state = secrets_in(self._path), state
        except FileNotFoundError:
            self._in_file, self._state = (), None
        except (OSError, UnicodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise SettingsError(
                f"{self._path}, which JWP_WEBHOOK_SECRETS_FILE names, cannot be read: {reason}. It has to be readable "
                "for this user, and holds one secret on each line."
            ) from None
        return self._listed + self._in_file


def secrets_in(path: Path) -> tuple[str, ...]:
    """Return the secrets in a file, one on each line; blank lines and those that begin with # do not count."""
    # Editors on Windows put a byte order mark before the first line, and it must not become part of the secret.
    lines = (line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def open_for_secrets(path: Path) -> int:
    """Open a file for `add_secret`; a new one can be read by this user only. Returns its descriptor.

    Raises WebhookError if the file cannot be written, or if others can read it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise WebhookError(
            f"{path} cannot be written: {error.strerror}. Nothing was registered; name another --secret-file."
        ) from None
    if os.fstat(descriptor).st_mode & 0o077:
        os.close(descriptor)
        raise WebhookError(
            f"{path} can be read by others than you. Nothing was registered; make it private with chmod 600."
        )
    return descriptor


def add_secret(descriptor: int, webhook_id: str, secret: str) -> None:
    """Append a webhook's secret to a file that `open_for_secrets` has opened, on a new line. Raises OSError."""
    size = os.fstat(descriptor).st_size
    # Otherwise the lines would continue a secret that somebody wrote without a line end, and spoil it.
    line_end = "\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else ""
    os.write(descriptor, f"{line_end}# {webhook_id}\n{secret}\n".encode())
    os.fsync(descriptor)
