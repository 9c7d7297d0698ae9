"""Runs an embedded PostgreSQL if JWP_DATABASE_URL is not set: starts it when needed and stops it when unused.

Every process that uses the server holds a shared lock as long as it lives. A detached keeper process runs the server,
and stops it once that lock is free. The kernel frees locks however a process ends, so no server is left running.

    joining.py        ensure_running, which a process calls to use the database
    keeper.py         the process that runs the server
    cluster.py        creates a data folder, builds the server's arguments, and checks whether the server is ready
    unprivileged.py   runs the server as another user if PostgreSQL refuses to run as this one
    binaries.py       finds initdb and postgres
    layout.py         the files and the locks

Put here what runs a server; the rest of `database` is about the data on it. Import psycopg only to connect, so that a
keeper starts fast.
"""

from jwp_pipeline.database.embedded.joining import ensure_running, place, release, server_log, url_if_running

__all__ = ["ensure_running", "place", "release", "server_log", "url_if_running"]
