"""Creates a data folder, builds the command line of its server, and checks whether the server is ready.

Put here the calls of PostgreSQL's programs. `keeper.py` decides how long the server runs.
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
    """Create the data folder, with encoding UTF-8, locale C, and a random password for user `postgres`.

    If this is killed at any point, there is no `layout.data`, and the next start creates the folder again. That start
    first waits until initdb has ended, because initdb inherits `lock`.
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
    """Return a random password that needs no quoting in SQL or in a URL."""
    return secrets.token_urlsafe(PASSWORD_BITS // 8)


def renew_password(layout: Layout, bin_dir: Path, account: Account, lock: int) -> None:
    """Give user `postgres` a new password, because the old one is lost. The server must not be running."""
    password = new_password()
    command = [f"{bin_dir}/postgres", "--single", "-D", f"{layout.data}", "-c", "log_statement=none", "postgres"]
    statement = f"ALTER USER postgres PASSWORD '{password}'\n".encode()
    ended = subprocess.run(
        command, input=statement, stdout=subprocess.DEVNULL, check=False, pass_fds=[lock], **account.popen_arguments()
    )
    if ended.returncode != 0:
        raise EmbeddedPostgresError(f"postgres --single ended with status {ended.returncode}.")
    # This comes last, so that a start that is killed earlier does not leave a wrong password in the file.
    write_private(layout.password, password)


def server_command(layout: Layout, bin_dir: Path, port: int, *, durable: bool) -> list[str]:
    """Return the server's command line. It listens on loopback TCP only, so spaces and long paths do not matter."""
    # This memory and WAL are enough for a library of some 200,000 videos; a small library uses little of either.
    sizes = ["shared_buffers=512MB", "max_wal_size=4GB"]
    options = ["unix_socket_directories=", *sizes, "jit=off", "logging_collector=off"]
    options += [] if durable else _NOT_DURABLE
    command = [f"{bin_dir}/postgres", "-D", f"{layout.data}", "-h", "127.0.0.1", "-p", f"{port}"]
    return command + [argument for option in options for argument in ("-c", option)]


def is_taken(port: int) -> bool:
    """Whether another program listens on this port of 127.0.0.1 at this moment."""
    return _bound(port) is None


def free_port(preferred: int) -> int:
    """Return `preferred` if it is free, so that a URL that somebody has noted stays valid; otherwise any free port.

    Another program may take the port before the server does.
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
    """Whether our child process `pid` accepts connections, according to its postmaster.pid."""
    try:
        lines = (layout.data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 7 and int(lines[0]) == pid and lines[7].strip() == "ready"
