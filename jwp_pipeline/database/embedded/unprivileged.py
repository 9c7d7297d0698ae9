"""Runs PostgreSQL's programs as another user if they refuse to run as root, or as a user id without a user.

1. If we are an ordinary user, they run as this user.
2. Otherwise, on Linux, they enter a user namespace in which they appear to be `nobody`. Files keep their owners.
3. If that is forbidden (as it is by default in Docker), or if root without its privileges may not enter a folder on the
   way, root gives the data to another account, `postgres` or `nobody`. If that account may not enter a folder on the
   way either, such as a home folder, the programs get a single one of root's capabilities for it. With it they can
   reach all files, much as in a namespace, where they own what root owns. Only root can read the server's password.

Nothing outside the server's own folder is changed: no account is created, and no permission of a parent folder changes.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jwp_pipeline.errors import EmbeddedPostgresError
from jwp_pipeline.processes import end_with

# Numbers of Linux's interface (sched.h, prctl.h, securebits.h, capability.h).
_CLONE_NEWUSER = 0x10000000
_PR_SET_SECUREBITS, _NO_SETUID_FIXUP = 28, 1 << 2
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 47, 2
_CAPABILITY_VERSION = 0x20080522
_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE = 2, 1

_NOBODY = 65534
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Account:
    """The account that PostgreSQL's programs run as; by default the current user."""

    name: str = "this user"
    owner: tuple[int, int] | None = None
    """The account's user id and group id; None for the current user's."""
    namespace: bool = False
    capability: int | None = None
    """The capability that lets the programs enter folders that are closed to `owner`."""

    def popen_arguments(self) -> dict[str, Any]:
        """Return arguments for `subprocess.Popen`. On Linux, the program also ends when this process does."""
        keeper = os.getpid()

        def before_exec() -> None:
            if self.namespace:
                _enter_namespace()
            if self.owner:
                _become(*self.owner, self.capability)
            # This comes last, because the kernel clears the setting when a process changes its user.
            end_with(keeper)

        return {"preexec_fn": before_exec}

    def give(self, folder: Path) -> None:
        """Make this account the owner of a folder and everything in it, as PostgreSQL requires for its data."""
        if self.owner is None or _ids(folder) == self.owner:
            return
        for parent, folders, files in os.walk(folder):
            for name in (*folders, *files):
                os.chown(os.path.join(parent, name), *self.owner, follow_symlinks=False)
        # The folder itself comes last, so that the next call continues after an interruption.
        os.chown(folder, *self.owner)

    def reaching(self, folders: Sequence[Path]) -> Account:
        """Return this account, with a capability if it needs one to enter these folders.

        Raises EmbeddedPostgresError, naming the first folder that the account may not enter.
        """
        try:
            closed = self._closed(folders)
        except subprocess.SubprocessError:
            raise EmbeddedPostgresError(
                f"PostgreSQL has to run as {self.name}, and no program can be started so: this root may not change its "
                "user (capabilities SETUID and SETGID). Run as an ordinary user, or set JWP_DATABASE_URL."
            ) from None
        for capability in (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE) if closed and self.owner else ():
            able = replace(self, capability=capability)
            with suppress(subprocess.SubprocessError):
                if able._closed(folders) is None:
                    return able
        if closed:
            raise EmbeddedPostgresError(
                f"PostgreSQL has to run as {self.name}, which may not pass the folder {closed}. Run `chmod o+x` on it, "
                "or move the project or JWP_HOME elsewhere, or run as an ordinary user, or set JWP_DATABASE_URL."
            )
        return self

    def _closed(self, folders: Sequence[Path]) -> Path | None:
        """Return the first folder on the way to one of these that this account may not enter, or None."""
        steps = [step for folder in folders for step in (*reversed(folder.parents), folder)]
        look = 'for step; do test -x "$step" || { printf %s "$step"; break; }; done'
        command = ["/bin/sh", "-c", look, "sh", *map(str, steps)]
        answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd="/", **self.popen_arguments())
        return Path(os.fsdecode(answer.stdout)) if answer.stdout else None


def choose_account(data: Path, folders: Sequence[Path]) -> Account:
    """Choose the account to run the server with, which must be able to enter `folders`.

    `data` is the server's data folder, which need not exist yet. Raises EmbeddedPostgresError.
    """
    refusals = []
    for account in _accounts(data):
        try:
            return account.reaching(folders)
        except EmbeddedPostgresError as error:
            refusals.append(error)
    if refusals:
        raise refusals[0]
    raise EmbeddedPostgresError(
        f"PostgreSQL cannot be run as user id {os.geteuid()}, which no user has, because no user namespace may be "
        "entered here. Run as a user that exists in /etc/passwd, or set JWP_DATABASE_URL."
    )


def _accounts(data: Path) -> Iterator[Account]:
    """Yield the accounts to try, the preferred one first."""
    is_root = os.geteuid() == 0
    if not is_root and _has_name(os.geteuid()):
        yield Account()
        return
    if is_root and data.exists() and _ids(data)[0] != 0:
        yield Account(f"the owner of {data}", _ids(data))
        return
    if sys.platform == "linux" and _namespace_allowed():
        yield Account("root without its privileges" if is_root else "this user", namespace=True)
    for name in ("postgres", "nobody") if is_root else ():
        with suppress(KeyError):
            user = pwd.getpwnam(name)
            yield Account(f"user {name}", (user.pw_uid, user.pw_gid))


def _ids(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_uid, found.st_gid


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _namespace_allowed() -> bool:
    try:
        subprocess.run(["/bin/sh", "-c", ":"], check=True, preexec_fn=_enter_namespace)
    except subprocess.SubprocessError:
        return False
    return True


def _enter_namespace() -> None:
    """Enter a user namespace as `nobody`, without privileges after the next exec. The process must have one thread."""
    uid, gid = os.geteuid(), os.getegid()
    _checked(_libc.unshare(_CLONE_NEWUSER), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{_NOBODY} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{_NOBODY} {gid} 1")


def _become(uid: int, gid: int, capability: int | None) -> None:
    """Become another user permanently, with none of root's privileges except `capability`."""
    if capability is not None:
        # Otherwise the change of user removes all capabilities, and access(2), which PostgreSQL calls, ignores them.
        _prctl(_PR_SET_SECUREBITS, _NO_SETUID_FIXUP)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if capability is not None:
        header = ctypes.create_string_buffer(struct.pack("Ii", _CAPABILITY_VERSION, 0))
        only_this = ctypes.create_string_buffer(struct.pack("6I", *[1 << capability] * 3, 0, 0, 0))
        _checked(_libc.capset(header, only_this), "capset")
        _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability)


def _prctl(*arguments: int) -> None:
    padded = [ctypes.c_ulong(argument) for argument in (*arguments, 0, 0, 0, 0)[:5]]
    _checked(_libc.prctl(*padded), "prctl")


def _checked(status: int, what: str) -> None:
    if status != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")
