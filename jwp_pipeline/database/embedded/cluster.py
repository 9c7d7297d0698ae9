"""A data folder and the server on it: making one, the server's arguments, whether it is ready.

Put here what is asked of PostgreSQL's programs. Who uses the server, and how long it runs, is for `keeper.py`.
"""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
from pathlib import Path

from jwp_pipeline.database.embedded.layout import Layout, write_private
from jwp_pipeline.database.embedded.unprivileged import Account
from jwp_pipeline.errors import EmbeddedPostgresError

PASSWORD_BITS = 144
_NOT_DURABLE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def create(layout: Layout, bin_dir: Path, account: Account, lock: int, *, durable: bool) -> None:
    """Make the data folder: UTF-8, locale C, user `postgres` with a random password.

    Killed at any point it leaves no `layout.data`, and the next start begins anew; initdb inherits `lock`, so
    that this start waits until initdb has cleaned up after itself.
    """
    work = layout.unfinished
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(mode=0o700)
    password = new_password()
    write_private(layout.password, password)
    for_initdb = work / "password"
    write_private(for_initdb, password)
    account.give(work)
    command = [f"{bin_dir}/initdb", f"--pgdata={work}/data", "--username=postgres", f"--pwfile={for_initdb}"]
    command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions"]
    command += [] if durable else ["--no-sync"]
    if subprocess.run(command, check=False, pass_fds=[lock], **account.popen_arguments()).returncode != 0:
        raise EmbeddedPostgresError("initdb failed.")
    (work / "data").rename(layout.data)
    shutil.rmtree(work)


def new_password() -> str:
    """A random password that needs no quoting in SQL or in a URL."""
    return secrets.token_urlsafe(PASSWORD_BITS // 8)


def renew_password(layout: Layout, bin_dir: Path, account: Account, lock: int) -> None:
    """Give user `postgres` a new password, for when the old one is lost. No server may run meanwhile."""
    password = new_password()
    command = [f"{bin_dir}/postgres", "--single", "-D", f"{layout.data}", "-c", "log_statement=none", "postgres"]
    statement = f"ALTER USER postgres PASSWORD '{password}'\n".encode()
    ended = subprocess.run(
        command, input=statement, stdout=subprocess.DEVNULL, check=False, pass_fds=[lock], **account.popen_arguments()
    )
    if ended.returncode != 0:
        raise EmbeddedPostgresError(f"postgres --single ended with status {ended.returncode}.")
    # Last, so that a start that is killed before leaves nothing that looks like the password and is not.
    write_private(layout.password, password)


def server_command(layout: Layout, bin_dir: Path, port: int, *, durable: bool) -> list[str]:
    """Command line of the server: TCP on the loopback only, so that spaces and long paths do not matter."""
    # Memory and WAL for a library of some 200,000 videos; a small one touches little of either.
    sizes = ["shared_buffers=512MB", "max_wal_size=4GB"]
    options = ["unix_socket_directories=", *sizes, "jit=off", "logging_collector=off"]
    options += [] if durable else _NOT_DURABLE
    command = [f"{bin_dir}/postgres", "-D", f"{layout.data}", "-h", "127.0.0.1", "-p", f"{port}"]
    return command + [argument for option in options for argument in ("-c", option)]


def is_taken(port: int) -> bool:
    """Whether another program listens on this port of 127.0.0.1 at this moment."""
    return _bound(port) is None


def free_port(preferred: int) -> int:
    """`preferred` if it is free, so that what people have noted down stays true; else some free port.

    Another program may take it before the server does.
    """
    port = _bound(preferred) or _bound(0)
    if port is None:
        raise EmbeddedPostgresError(
            "There is no free TCP port on 127.0.0.1. End some programs, or set JWP_DATABASE_URL."
        )
    return port


def _bound(port: int) -> int | None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return None
        return int(probe.getsockname()[1])


def is_ready(layout: Layout, pid: int) -> bool:
    """Whether our child `pid` accepts connections: it says so in its own postmaster.pid."""
    try:
        lines = (layout.data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 7 and int(lines[0]) == pid and lines[7].strip() == "ready"
