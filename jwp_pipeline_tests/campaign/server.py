"""The PostgreSQL server of one campaign, which can be stopped and started again in the middle of anything.

It is not run by our keeper, which would end with it. A committed transaction survives an immediate stop, as on a real
server, because the operating system does not crash.
"""

import os
import signal
import subprocess
import time
from urllib.parse import urlsplit

import psycopg

from jwp_pipeline.database.embedded import cluster
from jwp_pipeline.database.embedded.binaries import find_binaries
from jwp_pipeline.database.embedded.layout import Layout, open_lock
from jwp_pipeline.database.embedded.unprivileged import choose_account

_OPTIONS = ("fsync=off", "deadlock_timeout=100ms", "wal_level=minimal", "max_wal_senders=0", "shared_buffers=64MB")
_SIGNALS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}


class Server:
    """A server with its data in `home`, in a `with` block. Only the thread that started it may restart it."""

    def __init__(self, home):
        self._layout = Layout.of(home)
        self._bin = find_binaries().folder

    def __enter__(self):
        layout = self._layout
        layout.folder.mkdir(parents=True)
        layout.folder.chmod(0o711)
        self._account = choose_account(layout.data, [layout.folder.parent, self._bin])
        lock = open_lock(layout.server_lock)
        cluster.create(layout, self._bin, self._account, lock, durable=False)
        os.close(lock)
        self._account.give(layout.data)
        self._port = cluster.free_port(0)
        self.url = f"postgresql://postgres:{layout.kept_password()}@127.0.0.1:{self._port}/postgres"
        self._start()
        return self

    def __exit__(self, *error):
        self._stop("fast")

    def restart(self, how):
        """Stop the server, `fast` or `immediate`, and start it again."""
        self._stop(how)
        self._start()

    def elsewhere(self, port):
        """Return the server's URL with another port, such as that of a relay."""
        return self.url.replace(f":{urlsplit(self.url).port}/", f":{port}/")

    @property
    def port(self):
        return self._port

    def _start(self):
        command = cluster.server_command(self._layout, self._bin, self._port, durable=True)
        command += [argument for option in _OPTIONS for argument in ("-c", option)]
        with self._layout.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, **self._account.popen_arguments())
        deadline = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.url, connect_timeout=5).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.02)

    def _stop(self, how):
        self._process.send_signal(_SIGNALS[how])
        self._process.wait(60)
