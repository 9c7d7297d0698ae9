"""A data folder and the server on it: making one, the server's arguments, whether it is ready.

Not here: who uses the server and how long it runs (`keeper.py`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import shutil
import socket
import subprocess
from pathlib import Path

from jwp_pipeline.database.embedded.layout import Layout
from jwp_pipeline.database.embedded.unprivileged import Account
from jwp_pipeline.errors import EmbeddedPostgresError

PASSWORD_BITS = 144
_NOT_DURABLE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def create(layout: Layout, bin_dir: Path, account: Account, lock: int, *, durable: bool) -> None:
    """Make the data folder: UTF-8, locale C, user `postgres` with a password of which it knows only a hash.

    Killed at any point it leaves no `layout.data`, and the next start begins anew; initdb inherits `lock`, so
    that this start waits until initdb has cleaned up after itself.
    """
    work = layout.unfinished
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(mode=0o700)
    password = secrets.token_urlsafe(PASSWORD_BITS // 8)
    write_private(layout.password, password)
    verifier = work / "verifier"
    write_private(verifier, scram_verifier(password))
    if account.owner:
        for path in (work, verifier):
            os.chown(path, *account.owner)
    command = [f"{bin_dir}/initdb", f"--pgdata={work}/data", "--username=postgres", f"--pwfile={verifier}"]
    command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions"]
    command += [] if durable else ["--no-sync"]
    if subprocess.run(command, check=False, pass_fds=[lock], **account.popen_arguments()).returncode != 0:
        raise EmbeddedPostgresError("initdb failed.")
    (work / "data").rename(layout.data)
    shutil.rmtree(work)


def server_command(layout: Layout, bin_dir: Path, port: int, *, durable: bool) -> list[str]:
    """Command line of the server: TCP on the loopback only, so that spaces and long paths do not matter."""
    # Memory and WAL for a library of some 200,000 videos; a small one touches little of either.
    sizes = ["shared_buffers=512MB", "max_wal_size=4GB"]
    options = ["unix_socket_directories=", *sizes, "jit=off", "logging_collector=off"]
    options += [] if durable else _NOT_DURABLE
    command = [f"{bin_dir}/postgres", "-D", f"{layout.data}", "-h", "127.0.0.1", "-p", f"{port}"]
    return command + [argument for option in options for argument in ("-c", option)]


def is_ready(layout: Layout, pid: int) -> bool:
    """Whether our child `pid` accepts connections: it says so in its own postmaster.pid."""
    try:
        lines = (layout.data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 7 and int(lines[0]) == pid and lines[7].strip() == "ready"


def free_port(preferred: int) -> int:
    """`preferred` if it is free, so that what people have noted down stays true; else some free port."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise EmbeddedPostgresError("There is no free TCP port on 127.0.0.1. End some programs, or set JWP_DATABASE_URL.")


def scram_verifier(password: str) -> str:
    """What PostgreSQL stores of `password` (RFC 5802, RFC 7677), with a single iteration.

    Iterations slow down the guessing of weak passwords, and every new connection by 2.4 ms; 144 random bits
    cannot be guessed. Made here, because servers before 16 cannot be told the number.
    """
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 1)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    salt64, stored64, server64 = (
        base64.b64encode(part).decode() for part in (salt, hashlib.sha256(client_key).digest(), server_key)
    )
    return f"SCRAM-SHA-256$1:{salt64}${stored64}:{server64}"


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
