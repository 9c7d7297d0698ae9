"""Says which migration the tables are at, and stops a process whose tables a newer version has migrated meanwhile.

Put here what compares the tables with the version of the program that is running.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sqlalchemy import Connection, text

from jwp_pipeline.errors import MigrationError

MIGRATIONS = Path(__file__).parent / "migrations"
"""The folder of the migrations, as Alembic needs it."""


@cache
def known_revisions() -> tuple[str, ...]:
    """Return the revisions that this version knows, from the first to the newest."""
    # The name of each step's file begins with its revision, as in 0001_mirror.py.
    return tuple(sorted(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py")))


def newest_revision() -> str:
    """Return the revision to which this version migrates the tables."""
    return known_revisions()[-1]


def stored_revision(connection: Connection) -> str | None:
    """Return the revision that the tables are at, in the caller's transaction; None if there are no tables."""
    if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return None
    revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return None if revision is None else str(revision)


def require_revision(connection: Connection) -> None:
    """Keep the tables from being migrated until the caller's transaction ends.

    A migration locks `alembic_version` before anything else, and reading it takes a lock that excludes that one. Raises
    MigrationError if the tables have been migrated since this process began to use them.
    """
    revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if revision != newest_revision():
        raise MigrationError(
            f"Another version of jwp_pipeline has brought the tables from migration {newest_revision()} to {revision} "
            "while this process was running. It has stopped, and what it had not committed is undone. Start it again "
            "with that version; the next run goes on from what is stored."
        )


def lock_for_migration(connection: Connection) -> None:
    """Wait until no transaction relies on the revision, and keep others from doing so until the caller's ends."""
    if connection.scalar(text("SELECT to_regclass('alembic_version')")) is not None:
        connection.execute(text("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE"))
