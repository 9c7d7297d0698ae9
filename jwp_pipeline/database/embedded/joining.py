"""Starts or joins the embedded server for the current process, which then holds it as long as the process lives.

Put here what happens in a process that uses the server. `keeper.py` is the process that runs it.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from jwp_pipeline.database.embedded.binaries import BIN_VARIABLE, find_binaries
from jwp_pipeline.database.embedded.layout import Layout, is_free, locked, open_lock, try_lock
from jwp_pipeline.errors import EmbeddedPostgresError
from jwp_pipeline.processes import start_with_lock

DATABASE = "jwp"
START_SECONDS = 40
_REFUSALS = 15
_LOG_LINES = 15


@dataclass
class _Use:
    """This process's use of a server: a descriptor that holds the users' lock, and one to test the keeper's lock."""

    users: int
    keeper: int
    url: str = ""

    def close(self) -> None:
        os.close(self.users)
        os.close(self.keeper)


_uses: dict[Path, _Use] = {}
_guard = threading.RLock()


def ensure_running(home: Path, *, bin_dir: Path | None = None, durable: bool = True) -> str:
    """Start or join the server with its data in `home`, and return the URL of its database `jwp`.

    The server then runs at least as long as this process. The function returns at once if this process uses the server
    already and the server is still running. A forked child does not inherit the use and has to call this itself.
    `bin_dir` is the folder of PostgreSQL's programs, by default that in JWP_POSTGRES_BIN, the wheel's or the system's.
    `durable=False` is for tests. Raises EmbeddedPostgresError.
    """
    layout = Layout.of(home)
    with _guard:
        use = _uses.get(layout.folder)
        if use and not is_free(use.keeper):
            return use.url
        release(home)
        try:
            layout.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with locked(layout.start_lock):
                use = _Use(open_lock(layout.users_lock), open_lock(layout.keeper_lock))
                _uses[layout.folder] = use
                fcntl.flock(use.users, fcntl.LOCK_SH)
                use.url = _start_or_join(layout, use.keeper, bin_dir, durable=durable)
                return use.url
        except OSError as error:
            release(home)
            raise EmbeddedPostgresError(
                f"The embedded PostgreSQL in {layout.folder} cannot be used: {error}. See to the folder's "
                "permissions and space, set JWP_HOME to another one, or set JWP_DATABASE_URL."
            ) from error
        except BaseException:
            release(home)
            raise


def url_if_running(home: Path) -> str | None:
    """Return the URL of the server in `home` if it is ready now, else None.

    This neither starts nor uses the server, which may end at any time.
    """
    layout = Layout.of(home)
    if not layout.keeper_lock.exists():
        return None
    keeper = open_lock(layout.keeper_lock)
    try:
        password, port = layout.kept_password(), layout.ready_port()
        return None if is_free(keeper) or password is None or port is None else _url(password, port)
    finally:
        os.close(keeper)


def release(home: Path) -> None:
    """Stop using the server; it ends if no other process uses it. Only tests need this: a process can simply exit."""
    with _guard:
        use = _uses.pop(Layout.of(home).folder, None)
        if use:
            use.close()


def place(home: Path) -> Path:
    """Return the folder of the server in `home`; the `data` folder in it does not exist before the first start."""
    return Layout.of(home).folder


def server_log(home: Path) -> Path:
    """Return the path of the server's log since its last start; the previous log is next to it, as `log.1`."""
    return Layout.of(home).log


def _url(password: str | None, port: int | None) -> str:
    return f"postgresql://postgres:{password}@127.0.0.1:{port}/{DATABASE}"


def _start_or_join(layout: Layout, keeper: int, bin_dir: Path | None, *, durable: bool) -> str:
    started, refusals, problem = False, 0, f"is not ready after {START_SECONDS} s"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and refusals < _REFUSALS:
        if is_free(keeper):
            if started:
                problem = "does not start"
                break
            started = _start_keeper(layout, bin_dir, durable=durable)
        elif layout.port.exists():
            password, port = layout.kept_password(), layout.ready_port()
            refusal = _refusal(layout, password, port)
            if refusal is None:
                return _url(password, port)
            problem = f"cannot be used: {refusal}"
            refusals += 1
            time.sleep(0.2)
        else:
            time.sleep(0.02)
    log = layout.log.read_text(errors="replace").splitlines() if layout.log.exists() else []
    raise EmbeddedPostgresError(
        f"The embedded PostgreSQL in {layout.folder} {problem}. If what follows does not tell how to mend it, move "
        "that folder away to begin anew (JWP has all but the history), or set JWP_DATABASE_URL to another server. "
        + "\n".join([f"End of {layout.log}:", *log[-_LOG_LINES:]])
    )


def _start_keeper(layout: Layout, bin_dir: Path | None, *, durable: bool) -> bool:
    """Start a keeper and give it its lock. Returns False if another keeper took the lock first."""
    binaries = find_binaries(bin_dir)
    if layout.data.exists():
        major = layout.major()
        if major is None:
            raise EmbeddedPostgresError(
                f"{layout.data / 'PG_VERSION'} does not name a version of PostgreSQL, so this data folder cannot be "
                f"used. Put back a copy of {layout.folder}, or move it away to begin anew (JWP has all but the "
                "history), or set JWP_DATABASE_URL."
            )
        if major != binaries.major:
            raise EmbeddedPostgresError(
                f"{layout.data} was made by PostgreSQL {major}, but the programs in {binaries.folder} are "
                f"PostgreSQL {binaries.major}. Set {BIN_VARIABLE} to the bin folder of a PostgreSQL {major}, or "
                f"move {layout.folder} away to begin anew (JWP has all but the history), or set JWP_DATABASE_URL."
            )
    layout.retire_port()
    if layout.log.exists():
        layout.log.replace(layout.log.with_suffix(".1"))
    arguments = [str(layout.folder), str(binaries.folder), *([] if durable else ["--not-durable"])]
    lock = open_lock(layout.keeper_lock)
    log = os.open(layout.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        if not try_lock(lock):
            return False
        start_with_lock(
            "jwp_pipeline.database.embedded.keeper", *arguments, lock=lock, log=log, folder=layout.folder
        ).wait()
        return True
    finally:
        os.close(lock)
        os.close(log)


def _refusal(layout: Layout, password: str | None, port: int | None) -> str | None:
    """Create our database if it does not exist. Returns why the server cannot be used, or None if it can."""
    import psycopg

    for path, value in ((layout.password, password), (layout.port, port)):
        if value is None:
            return f"{path} was damaged while the server ran. End all programs that use it and start again"
    try:
        with psycopg.connect(
            host="127.0.0.1",
            port=port,
            user="postgres",
            password=password,
            dbname="postgres",
            sslmode="disable",
            connect_timeout=5,
            autocommit=True,
        ) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(f"CREATE DATABASE {DATABASE}")
    except psycopg.OperationalError as error:
        lost = f". The next start sets a new password if you remove {layout.password}"
        return f"{error}{lost if 'password authentication failed' in str(error) else ''}"
    return None


def _forget_in_child() -> None:
    global _guard
    _guard = threading.RLock()
    for use in _uses.values():
        use.close()
    _uses.clear()


# A forked child must not hold its parent's locks, and no fork may happen while a lock is being passed to the keeper.
os.register_at_fork(
    before=lambda: _guard.acquire(), after_in_parent=lambda: _guard.release(), after_in_child=_forget_in_child
)
