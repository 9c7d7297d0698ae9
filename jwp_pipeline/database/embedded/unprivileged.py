"""Running PostgreSQL where it refuses to: as root, and as a user id that no user has.

On Linux its processes enter a user namespace in which they seem to be `nobody`; files stay owned by whom they
are. Where that is forbidden (Docker's default), root lends them to another account. Nothing is changed outside
the server's own folder: no account is made, no permission of a parent folder touched.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jwp_pipeline.errors import EmbeddedPostgresError

_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1
_NOBODY = 65534
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Account:
    """As whom PostgreSQL's programs run. By default: as ourselves."""

    name: str = "this user"
    owner: tuple[int, int] | None = None
    namespace: bool = False

    def popen_arguments(self) -> dict[str, Any]:
        """Arguments of `subprocess.Popen`; the program ends with us, where the system can see to that."""
        keeper = os.getpid()

        def before_exec() -> None:
            if self.namespace:
                _enter_namespace()
            if sys.platform == "linux":
                _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)
                if os.getppid() != keeper:
                    os._exit(1)

        arguments: dict[str, Any] = {"preexec_fn": before_exec}
        if self.owner:
            arguments |= {"user": self.owner[0], "group": self.owner[1], "extra_groups": []}
        return arguments

    def require_access(self, folder: Path) -> None:
        """Raise EmbeddedPostgresError naming the first folder on the way that this account may not pass."""
        if self._may_pass(folder):
            return
        step = next(step for step in [*reversed(folder.parents), folder] if not self._may_pass(step))
        raise EmbeddedPostgresError(
            f"PostgreSQL has to run as {self.name}, which may not pass the folder {step}. Run `chmod o+x` on it, "
            "or move the project or JWP_HOME elsewhere, or run as an ordinary user, or set JWP_DATABASE_URL."
        )

    def _may_pass(self, folder: Path) -> bool:
        command = ["/bin/sh", "-c", 'test -x "$1"', "sh", str(folder)]
        return subprocess.run(command, check=False, **self.popen_arguments()).returncode == 0


def choose_account(data: Path) -> Account:
    """As whom to run the server of the data folder `data`, which need not exist yet."""
    is_root = os.geteuid() == 0
    if not is_root and _has_name(os.geteuid()):
        return Account()
    if is_root and data.exists() and (owner := data.stat()).st_uid != 0:
        return Account(f"the owner of {data}", (owner.st_uid, owner.st_gid))
    if sys.platform == "linux" and _namespace_allowed():
        return Account("root without its privileges" if is_root else "this user", namespace=True)
    for name in ("postgres", "nobody") if is_root else ():
        with suppress(KeyError):
            user = pwd.getpwnam(name)
            return Account(f"user {name}", (user.pw_uid, user.pw_gid))
    raise EmbeddedPostgresError(
        f"PostgreSQL cannot be run as user id {os.geteuid()}, and here no user namespace may be entered. "
        "Run as a user that exists in /etc/passwd, or set JWP_DATABASE_URL."
    )


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
    """Seem to be `nobody`, and have no privileges from the next exec on. For a process with one thread."""
    uid, gid = os.geteuid(), os.getegid()
    if _libc.unshare(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{_NOBODY} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{_NOBODY} {gid} 1")
