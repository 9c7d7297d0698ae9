"""A PostgreSQL of our own, for when no JWP_DATABASE_URL is set: started when first needed, gone when unused.

Every process that uses the server holds a shared lock for its lifetime; a detached keeper process runs the
server and stops it once that lock is free. The kernel frees locks however a process ends, so nothing leaks.

    joining.py        ensure_running: what a process that wants the database calls
    keeper.py         the process that runs the server
    cluster.py        creating a data folder, the server's arguments, whether it is ready
    unprivileged.py   running it as somebody else where PostgreSQL refuses to run as us
    binaries.py       where initdb and postgres are
    layout.py         the files and the locks

Put here what runs a server; what is stored on it is for the rest of `database`. Nothing imports psycopg before it
connects, so that a keeper starts fast.
"""

from jwp_pipeline.database.embedded.joining import ensure_running, place, release, server_log

__all__ = ["ensure_running", "place", "release", "server_log"]
