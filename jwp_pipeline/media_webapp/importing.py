"""Imports a database of media-webapp: copies it, plans, and writes everything in one transaction.

The plan is no guess. The import is carried out, the media side follows as the next sync would, and all of it is rolled
back; what was counted meanwhile is the plan. Put here the order of the steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text

from jwp_pipeline.database.connection import WRITER_LOCK, advisory_lock, connect
from jwp_pipeline.database.leases import Lease
from jwp_pipeline.database.transactions import in_transaction
from jwp_pipeline.database.upkeep import vacuum
from jwp_pipeline.errors import CannotImport
from jwp_pipeline.media.options import MediaOptions
from jwp_pipeline.media.sync import follow_all
from jwp_pipeline.media_webapp.findings import (
    Finding,
    LeftOut,
    left_out,
    oddities,
    require_no_conflict,
    require_sound,
)
from jwp_pipeline.media_webapp.layout import OURS, TABLES
from jwp_pipeline.media_webapp.source import Site, Source
from jwp_pipeline.media_webapp.writing import prepare, write

# Seconds to wait for a sync that is writing.
_LOCK_PATIENCE = 60.0
_WRITTEN_BY_SYNCS = frozenset({*OURS.values()} - {"upload_endpoints"})


@dataclass(frozen=True, slots=True)
class TablePlan:
    """What becomes of the rows of one table of media-webapp."""

    source_table: str
    table: str
    """The table of the record."""
    found: int
    added: int
    left_out: int
    """Rows that have no place here at all; those of which only a column has none do not count."""

    @property
    def there(self) -> int:
        """How many of the rows are in the record already."""
        return self.found - self.added - self.left_out


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import does, or did."""

    source: str
    """The URL of the other database, without its password."""
    site: Site | None
    tables: Sequence[TablePlan]
    left_out: Sequence[LeftOut]
    kept: int
    """How many rows are added to media_webapp_rows."""
    oddities: Sequence[Finding]
    next_sync: Mapping[str, int] | None
    """Table → rows that the next sync writes, even if nothing has changed at JW Platform. None after the import."""

    @property
    def added(self) -> int:
        """How many rows are added to the record."""
        return sum(table.added for table in self.tables)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.added or self.kept)


class Import:
    """An import whose source has been copied next to our tables, as of one moment. `opened()` makes one."""

    def __init__(self, connection: Connection, source: Source, options: MediaOptions, lease: Lease | None) -> None:
        self._connection = connection
        self._options = options
        self._lease = lease
        self._source = source.in_words
        self._site = source.site()
        with connection.begin():
            source.stage(connection)
            require_sound(connection)

    def plan(self) -> ImportPlan:
        """Return what an import would do, and what the next sync would. Nothing is changed.

        Raises CannotImport, SyncInProgress and DatabaseError.
        """
        with advisory_lock(self._connection, WRITER_LOCK, patience=_LOCK_PATIENCE):
            transaction = self._connection.begin()
            try:
                plan = self._carry_out(rehearses=True)
            finally:
                transaction.rollback()
        return plan

    def carry_out(self, shown: ImportPlan) -> ImportPlan:
        """Import what `shown` has shown, in one transaction, and return what was done.

        Raises CannotImport if the record has changed since; LeaseLost, SyncInProgress and DatabaseError.
        """

        def work() -> ImportPlan:
            done = self._carry_out(rehearses=False)
            if (done.tables, done.kept) != (shown.tables, shown.kept):
                raise CannotImport(
                    "The record was changed after the plan was shown. Nothing was imported; look at the new plan first."
                )
            return done

        with advisory_lock(self._connection, WRITER_LOCK, patience=_LOCK_PATIENCE):
            return in_transaction(self._connection, work, lease=self._lease)

    def _carry_out(self, *, rehearses: bool) -> ImportPlan:
        connection = self._connection
        prepare(connection)
        require_no_conflict(connection)
        out = left_out(connection)
        odd = oddities(connection)
        added = write(connection, self._options)
        tables = [
            TablePlan(
                table.name, OURS[table.name], self._count(table.copy), added[OURS[table.name]], self._left(table.name)
            )
            for table in TABLES
            if table.name in OURS
        ]
        following = self._next_sync() if rehearses else None
        return ImportPlan(self._source, self._site, tables, out, added["media_webapp_rows"], odd, following)

    def _next_sync(self) -> Mapping[str, int]:
        before = self._written()
        follow_all(self._connection, self._options)
        after = self._written()
        return {table: rows - before[table] for table, rows in after.items() if rows > before[table]}

    def _written(self) -> dict[str, int]:
        """Return table → rows that this transaction has written so far, as the server counts them."""
        rows = self._connection.execute(
            text(
                "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del AS written FROM pg_stat_xact_user_tables"
                " WHERE schemaname = current_schema()"
            )
        )
        return {row.relname: row.written for row in rows if row.relname in _WRITTEN_BY_SYNCS}

    def _count(self, copy: str) -> int:
        return int(self._connection.scalar(text(f"SELECT count(*) FROM {copy}")) or 0)

    def _left(self, source_table: str) -> int:
        # Of items and billing accounts only a column is left out.
        if source_table in ("mediaplatform_mediaitem", "mediaplatform_billingaccount"):
            return 0
        counted = text("SELECT count(*) FROM webapp_left WHERE source_table = :name")
        return int(self._connection.scalar(counted, {"name": source_table}) or 0)


@contextmanager
def opened(engine: Engine, source: Source, options: MediaOptions, *, lease: Lease | None) -> Iterator[Import]:
    """Copy the source next to our tables and yield the import. What was copied ends with the block.

    `lease` is the right to write, which a dry run does not need. Raises CannotImport and DatabaseError.
    """
    with connect(engine) as connection:
        try:
            yield Import(connection, source, options, lease)
        finally:
            # Temporary tables last as long as the session, and the pool would keep it.
            connection.invalidate()


def tidy(engine: Engine, done: ImportPlan) -> None:
    """Vacuum and analyze what was written, so that the first sync is as fast as any other."""
    vacuum(engine, [table.table for table in done.tables if table.added])
