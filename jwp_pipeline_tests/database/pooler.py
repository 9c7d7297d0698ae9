"""Runs Debian's PgBouncer in front of the tests' server, in any of its modes."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import make_url

from jwp_pipeline_tests.support import free_port

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
needs_pgbouncer = pytest.mark.skipif(PGBOUNCER is None, reason="PgBouncer is not installed")


@contextmanager
def pooler(database_url, mode, **settings):
    """Yield a URL for the same database through a PgBouncer in this pool mode."""
    server = make_url(database_url)
    port = free_port()
    configuration = {
        "listen_addr": "127.0.0.1",
        "listen_port": port,
        "unix_socket_dir": "",
        "auth_type": "any",
        "pool_mode": mode,
        **settings,
    }
    target = f"host={server.host} port={server.port} dbname={server.database}"
    login = f"user={server.username} password={server.password}"
    # PgBouncer refuses to run as root, and the user that runs it must be able to read its file.
    user = "nobody" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="pgbouncer"))
    try:
        file = folder / "pgbouncer.ini"
        options = "".join(f"{name} = {value}\n" for name, value in configuration.items())
        file.write_text(f"[databases]\n{server.database} = {target} {login}\n[pgbouncer]\n{options}")
        if user:
            shutil.chown(folder, user)
            shutil.chown(file, user)
        with subprocess.Popen([PGBOUNCER, "-q", file], user=user, stderr=subprocess.PIPE) as process:
            try:
                _wait_for(port, process)
                yield urlsplit(database_url)._replace(netloc=f"{server.username}@127.0.0.1:{port}").geturl()
            finally:
                process.kill()
    finally:
        shutil.rmtree(folder)


def _wait_for(port, process):
    for _ in range(500):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    raise AssertionError("PgBouncer did not start")
