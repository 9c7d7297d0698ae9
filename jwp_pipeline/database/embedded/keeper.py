"""The keeper, a detached process that runs the server as its child until nobody uses it any more.

The first process that uses the server starts it (see `joining.py`) and passes it the keeper's lock. It writes only to
the log.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jwp_pipeline.database.embedded import cluster
from jwp_pipeline.database.embedded.layout import Layout, is_free, open_lock, try_lock, unlock, write_private
from jwp_pipeline.database.embedded.unprivileged import Account, choose_account
from jwp_pipeline.errors import EmbeddedPostgresError

START_SECONDS = 30
STOP_SECONDS = 60
IDLE_CHECK_SECONDS = 0.2
_PORT_TRIES = 5


def main() -> int:
    """Run the server on a folder (see `--help`), and return once it has stopped."""
    parser = argparse.ArgumentParser(description="Runs the embedded PostgreSQL while somebody uses it.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("bin", type=Path, help="folder of initdb and postgres")
    parser.add_argument("--lock", type=int, required=True, help="descriptor that holds the keeper's lock")
    parser.add_argument("--not-durable", action="store_true", help="a crash may lose data; for tests")
    arguments = parser.parse_args()
    os.set_inheritable(arguments.lock, False)
    if os.fork() != 0:
        # The process that started us waits only for this one to exit. The keeper goes on, detached from it.
        os._exit(0)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    layout = Layout(arguments.folder)
    try:
        with _server(layout, arguments.bin, durable=not arguments.not_durable) as server:
            _wait_until_unused(layout, server)
    except (EmbeddedPostgresError, OSError) as error:
        print(error, file=sys.stderr, flush=True)  # noqa: T201
        return 1
    return 0


@contextmanager
def _server(layout: Layout, bin_dir: Path, *, durable: bool) -> Iterator[subprocess.Popen[bytes]]:
    """Start the server, wait until it is ready, and stop it at the end of the block, even after an error."""
    account = choose_account(layout.data, [layout.folder.parent, bin_dir])
    if account.owner:
        layout.folder.chmod(0o711)
    lock = _claim_data(layout)
    if not layout.data.exists():
        cluster.create(layout, bin_dir, account, lock, durable=durable)
    account.give(layout.data)
    if layout.kept_password() is None:
        cluster.renew_password(layout, bin_dir, account, lock)
    server, port = _started(layout, bin_dir, account, lock, durable=durable)
    try:
        os.close(lock)
        write_private(layout.port, str(port))
        yield server
    finally:
        layout.retire_port()
        _stop(server)


def _started(
    layout: Layout, bin_dir: Path, account: Account, lock: int, *, durable: bool
) -> tuple[subprocess.Popen[bytes], int]:
    """Start a server and return it with its port. If another program takes the port first, another port is tried."""
    for tries_left in range(_PORT_TRIES - 1, -1, -1):
        port = cluster.free_port(layout.preferred_port())
        command = cluster.server_command(layout, bin_dir, port, durable=durable)
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[lock], **account.popen_arguments())
        try:
            _wait_until_ready(layout, server)
            return server, port
        except EmbeddedPostgresError:
            _stop(server)
            if not tries_left or not cluster.is_taken(port):
                raise
        except BaseException:
            _stop(server)
            raise
    raise AssertionError("the last try returns or raises")


def _claim_data(layout: Layout) -> int:
    """Return the server's lock, which initdb and postgres will inherit. First end those that outlived their keeper."""
    lock = open_lock(layout.server_lock)
    pid_file = layout.data / "postmaster.pid"
    deadline = time.monotonic() + START_SECONDS
    while not try_lock(lock):
        with suppress(FileNotFoundError, ProcessLookupError, IndexError, ValueError):
            # The lock is held, so a server is running and this is its process id, not that of some other process.
            os.kill(int(pid_file.read_text().splitlines()[0]), signal.SIGINT)
        if time.monotonic() > deadline:
            raise EmbeddedPostgresError(f"A server that is left over on {layout.data} does not stop.")
        time.sleep(0.1)
    # The file is certainly stale now. postgres would take any process that has this id today for a running server.
    pid_file.unlink(missing_ok=True)
    return lock


def _wait_until_ready(layout: Layout, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not cluster.is_ready(layout, server.pid):
        if server.poll() is not None:
            raise EmbeddedPostgresError(f"postgres ended with status {server.returncode} instead of starting.")
        if time.monotonic() > deadline:
            raise EmbeddedPostgresError(f"postgres was not ready after {START_SECONDS} s.")
        time.sleep(0.01)


def _wait_until_unused(layout: Layout, server: subprocess.Popen[bytes]) -> None:
    """Return once nobody uses the server, holding the start lock so that nobody joins a server that is stopping."""
    users, start = open_lock(layout.users_lock), open_lock(layout.start_lock)
    while server.poll() is None:
        time.sleep(IDLE_CHECK_SECONDS)
        # Do not wait for the start lock: the process that has it may be joining, and would wait for us.
        if is_free(users) and try_lock(start):
            if is_free(users):
                return
            unlock(start)
    raise EmbeddedPostgresError(f"postgres ended with status {server.returncode} while it was in use.")


def _stop(server: subprocess.Popen[bytes]) -> None:
    """Stop the server with a fast shutdown, which rolls back open transactions and writes a checkpoint."""
    server.send_signal(signal.SIGINT)
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.send_signal(signal.SIGQUIT)
        server.wait()


if __name__ == "__main__":
    sys.exit(main())
