"""Computes the plan: what applying a snapshot will do to cached_resources.

A dry run prints the plan, apply.py executes it, and Dagster's metadata show it. The planned rows are in the temporary
table `plan` of the connection that made it. Put here how rows get into that table; guard.py decides whether they may be
written, and confirm.py finds out whether missing resources are really gone.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from jwp_pipeline.database.sql import statement
from jwp_pipeline.jwplatform.management import ResourceType
from jwp_pipeline.jwplatform.shapes import array_field
from jwp_pipeline.mirror.confirm import NOT_ASKED, Answers
from jwp_pipeline.mirror.differences import Difference, differences
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline.mirror.reading import hash_joins_only, plan_differing
from jwp_pipeline.mirror.releases import Releasable
from jwp_pipeline.mirror.snapshots import Snapshot, may_delete, require_newest_listing, require_pages

HEAD_ROWS = 10
"""How many changes a plan shows, unless more are asked for."""
MOST_ROWS = 10_000
"""How many changes a plan can show at most, because the shown ones are kept in memory."""
_PACKAGE = "jwp_pipeline.mirror"


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """One of the first rows of a plan."""

    key: str
    change: str
    title: str
    differences: tuple[Difference, ...]
    """The values that differ, if the row is changed or restored."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The counts of what a snapshot does to the cached resources of its type, and the first rows of the plan."""

    snapshot_id: int
    resource_type: ResourceType
    is_full: bool
    """Whether the snapshot is a full listing that proved complete, so that everything it does not list is missing."""
    live: int
    """The number of live rows before."""
    seen: int
    """The number of distinct usable keys in the snapshot."""
    added: int
    changed: int
    refreshed: int
    """Rows that differ only in volatile fields. They are rewritten, but not entered in the change log."""
    reformatted: int
    """Rows whose data is the same, although JWP wrote it differently. Only their digest is written."""
    restored: int
    missing: int
    """Live rows that are missing from the newest complete listing, both those that are deleted and those that stay."""
    never_listed: int
    """Missing rows that a push created and that no listing has shown yet, which the guard does not count."""
    deleted_since: int
    """Rows that reads of changes and looks have deleted since the last complete listing; 0 for a complete listing. The
    guard counts them as well, because such reads may delete one row after the other."""
    deleted: int
    """Missing rows that are deleted, because JW Platform answered 404 for them or because they were released."""
    asking_stopped: str | None
    """Why JW Platform was not asked about all missing rows; None if only the request budget ended."""
    set_aside: int
    """Listed resources that cannot be stored and were not cached before."""
    problems: int
    head: tuple[PlannedChange, ...]

    @property
    def unconfirmed(self) -> int:
        """Missing rows that stay live, because JW Platform still has them or has not been asked yet."""
        return self.missing - self.deleted

    @property
    def unchanged(self) -> int:
        """Listed rows that stay as they are."""
        return self.seen - self.added - self.changed - self.refreshed - self.restored - self.set_aside

    @property
    def changes(self) -> int:
        """The number of rows that the plan shows if it shows all: those that change, and those that are missing."""
        return self.added + self.changed + self.restored + self.missing

    @property
    def rows(self) -> int:
        """The number of rows of cached_resources that are written, deleted or restored."""
        return self.added + self.changed + self.refreshed + self.restored + self.deleted


def prepare(connection: Connection, snapshot: Snapshot, options: MirrorOptions) -> None:
    """Fill the temporary table `plan` for a snapshot. Rows in it may be `missing`, but none is `deleted` yet.

    The caller holds the writer lock. Raises NothingToRelease if the snapshot's pages have been dropped.
    """
    _create(connection)
    parameters = {
        "snapshot_id": snapshot.id,
        "resource_type": snapshot.resource_type,
        "array_field": array_field(snapshot.api_version, snapshot.resource_type),
        "volatile_fields": list(options.volatile_fields),
        "overlap_minutes": options.overlap_minutes,
        # Finding repeated keys means sorting all keys, so it is skipped if there are none.
        "has_repeats": snapshot.resource_count > snapshot.key_count,
    }
    connection.execute(text("SET LOCAL work_mem TO '64MB'"))
    plan_differing(connection, parameters)
    # A mark says that listings miss the row, and a look at its key does not change that.
    is_look = snapshot.scope == "keys"
    connection.execute(statement(_PACKAGE, "plan_absent" if is_look else "plan_found"), parameters)
    if may_delete(snapshot):
        with hash_joins_only(connection):
            connection.execute(statement(_PACKAGE, "plan_missing"), parameters)
    else:
        connection.execute(statement(_PACKAGE, "plan_marked"), parameters)
    if not is_look:
        connection.execute(statement(_PACKAGE, "plan_overtaken"), parameters)
    # Dropped pages never come back. If all pages are there now, every statement above saw all of them, and no key is
    # missing because another process dropped pages meanwhile.
    require_pages(connection, snapshot)


def prepare_release(connection: Connection, release: Releasable, options: MirrorOptions) -> None:
    """Fill the table `plan` for a release, which deletes the withheld keys that are still missing.

    If the whole snapshot was refused, the rest of it is applied as well, unless a newer one has been applied since.
    Raises NothingToRelease if pages that tell what is still missing have been dropped.
    """
    require_newest_listing(connection, release.snapshot)
    if release.is_whole:
        prepare(connection, release.snapshot, options)
    else:
        _create(connection)
    connection.execute(
        statement(_PACKAGE, "plan_released"),
        {
            "snapshot_id": release.snapshot.id,
            "resource_type": release.snapshot.resource_type,
            "is_whole": release.is_whole,
        },
    )


def delete_all_missing(connection: Connection) -> None:
    """Turn all missing rows into deletions, for callers who vouch for their own listing."""
    connection.execute(text("UPDATE plan SET change = 'deleted' WHERE change = 'missing'"))


def candidates(connection: Connection, snapshot: Snapshot, limit: int) -> list[str]:
    """Return missing keys to ask JW Platform about: first those never asked about, then the least recently asked.

    After a look at single keys these are the absent ones among them. Other missing rows are for syncs that are not made
    every few seconds.
    """
    parameters = {"resource_type": snapshot.resource_type, "only": snapshot.absent_keys, "limit": limit}
    return list(connection.scalars(statement(_PACKAGE, "candidates"), parameters))


def listed_keys(connection: Connection, snapshot: Snapshot, limit: int) -> list[str]:
    """Return some keys that JW Platform should have: those of the snapshot and, if it has too few, other live ones.

    The other ones are not missing from a complete listing, as far as is known.
    """
    parameters = {"resource_type": snapshot.resource_type, "snapshot_id": snapshot.id, "limit": limit}
    return list(connection.scalars(statement(_PACKAGE, "listed_keys"), parameters))


def enter_answers(connection: Connection, answers: Answers) -> None:
    """Enter JW Platform's answers in the plan: resources that are gone become deletions, the others stay missing."""
    for keys, change in ((answers.gone, "deleted"), (answers.not_gone, "missing")):
        if keys:
            connection.execute(
                text(
                    "UPDATE plan SET change = :change, asked = true"
                    " WHERE change = 'missing' AND key = ANY(CAST(:keys AS text[]))"
                ),
                {"change": change, "keys": list(keys)},
            )


def describe(
    connection: Connection, snapshot: Snapshot, answers: Answers = NOT_ASKED, *, shown: int = HEAD_ROWS
) -> Plan:
    """Return the prepared plan as a value, with the first `shown` changes, but at most MOST_ROWS."""
    parameters = {"snapshot_id": snapshot.id, "resource_type": snapshot.resource_type, "rows": min(shown, MOST_ROWS)}
    counts = connection.execute(statement(_PACKAGE, "count_plan"), parameters).one()
    head = connection.execute(statement(_PACKAGE, "plan_head"), parameters)
    problems = connection.scalar(
        text("SELECT coalesce(sum(jsonb_array_length(problems)), 0) FROM raw_pages WHERE snapshot_id = :id"),
        {"id": snapshot.id},
    )
    # Every resource that is set aside has a problem, so without problems we can skip the pass over all keys.
    set_aside = connection.scalar(statement(_PACKAGE, "count_set_aside"), parameters) if problems else 0
    is_full = may_delete(snapshot)
    deleted_since = 0 if is_full else connection.scalar(statement(_PACKAGE, "count_deleted_since"), parameters)
    return Plan(
        snapshot_id=snapshot.id,
        resource_type=snapshot.resource_type,
        is_full=is_full,
        seen=snapshot.key_count,
        deleted_since=int(deleted_since or 0),
        asking_stopped=answers.stopped,
        set_aside=int(set_aside or 0),
        problems=int(problems or 0),
        head=tuple(PlannedChange(row.key, row.change, row.title, differences(row.old, row.new)) for row in head),
        **counts._asdict(),
    )


def _create(connection: Connection) -> None:
    connection.execute(text("DROP TABLE IF EXISTS pg_temp.plan"))
    connection.execute(
        text(
            "CREATE TEMPORARY TABLE plan"
            " (key text PRIMARY KEY, change text NOT NULL, data jsonb, digest uuid,"
            " asked boolean NOT NULL DEFAULT false)"
        )
    )
