"""The plan: what applying a snapshot would do to cached_resources, computed once, as a value.

A dry run prints it, apply executes it, metadata shows it. The planned rows themselves stand in the temporary table
`plan` of the connection that made it. Put here how rows get into that table; whether they may be written is for
guard.py, and whether what is missing is really gone is for confirm.py.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from jwp_pipeline.database.sql import statement
from jwp_pipeline.jwplatform.management import ResourceType
from jwp_pipeline.mirror import pages
from jwp_pipeline.mirror.confirm import NOT_ASKED, Answers
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline.mirror.releases import Releasable
from jwp_pipeline.mirror.snapshots import Snapshot, may_delete, require_pages

HEAD_ROWS = 10
_PACKAGE = "jwp_pipeline.mirror"


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """One row of a plan's head."""

    key: str
    change: str
    title: str
    fields: tuple[str, ...]
    """Top-level fields that differ, of a changed one."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Counts of what a snapshot does to the cached resources of its type, and its first rows."""

    snapshot_id: int
    resource_type: ResourceType
    is_full: bool
    """Whether it is a full listing that proved complete, so that what it does not list is missing."""
    live: int
    """Live rows before."""
    seen: int
    """Distinct usable keys in the snapshot."""
    added: int
    changed: int
    refreshed: int
    """Differ in volatile fields only: rewritten, but no change worth a row in the log."""
    restored: int
    missing: int
    """Live rows that are missing from the newest complete listing: those that are deleted, and those that stay."""
    deleted: int
    """Of the missing, those that are deleted: JW Platform answered 404 for each, or somebody released them."""
    still_there: int
    """Of the missing, those that JW Platform says it still has."""
    asking_stopped: str | None
    """Why JW Platform was not asked for all of the missing, when that was not for the budget alone."""
    set_aside: int
    """Listed, but not as anything that can be stored, and not cached from before either."""
    problems: int
    head: tuple[PlannedChange, ...]

    @property
    def unconfirmed(self) -> int:
        """Missing rows that stay live: JW Platform was not asked about them yet, or still has them."""
        return self.missing - self.deleted

    @property
    def unchanged(self) -> int:
        """Listed rows that stay as they are."""
        return self.seen - self.added - self.changed - self.refreshed - self.restored - self.set_aside

    @property
    def rows(self) -> int:
        """Rows of cached_resources whose content or life changes."""
        return self.added + self.changed + self.refreshed + self.restored + self.deleted


def prepare(connection: Connection, snapshot: Snapshot, options: MirrorOptions) -> None:
    """Fill the temporary table `plan` for a snapshot: nothing in it is `deleted` yet, only `missing`.

    The caller holds the apply lock. Raises NothingToRelease when the snapshot's pages are gone.
    """
    _create(connection)
    parameters = {
        "snapshot_id": snapshot.id,
        "resource_type": snapshot.resource_type,
        "array_field": pages.array_field(snapshot.api_version, snapshot.resource_type),
        "volatile_fields": list(options.volatile_fields),
        # Looking for keys listed more than once means sorting them all.
        "has_repeats": snapshot.resource_count > snapshot.key_count,
    }
    connection.execute(text("SET LOCAL work_mem TO '64MB'"))
    connection.execute(statement(_PACKAGE, "plan_listed"), parameters)
    connection.execute(statement(_PACKAGE, "plan_found"), parameters)
    step = "plan_missing" if may_delete(snapshot) else "plan_marked"
    connection.execute(statement(_PACKAGE, step), parameters)
    # Pages never come back: if all are there now, each statement saw them all, and no key is missing because another
    # process has pruned them meanwhile.
    require_pages(connection, snapshot)


def prepare_release(connection: Connection, release: Releasable, options: MirrorOptions) -> None:
    """Fill the table `plan` for a release: of the keys that were withheld it deletes those that are still missing.

    A snapshot that was refused whole is applied as well, unless a newer one has been applied since.
    """
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
    """Turn everything that is missing into deletions: for callers who answer for their own listing."""
    connection.execute(text("UPDATE plan SET change = 'deleted' WHERE change = 'missing'"))


def candidates(connection: Connection, resource_type: ResourceType, limit: int) -> list[str]:
    """Missing keys to ask JW Platform about: never asked ones first, then the least recently asked."""
    parameters = {"resource_type": resource_type, "limit": limit}
    return list(connection.scalars(statement(_PACKAGE, "candidates"), parameters))


def listed_keys(connection: Connection, resource_type: ResourceType, limit: int) -> list[str]:
    """Some live keys of a type that no complete listing misses, as far as is known."""
    parameters = {"resource_type": resource_type, "limit": limit}
    return list(connection.scalars(statement(_PACKAGE, "listed_keys"), parameters))


def enter_answers(connection: Connection, answers: Answers) -> None:
    """Turn what JW Platform said into the plan: what is gone is deleted, what is not has been asked about."""
    for keys, change in ((answers.gone, "deleted"), (answers.not_gone, "missing")):
        if keys:
            connection.execute(
                text(
                    "UPDATE plan SET change = :change, asked = true"
                    " WHERE change = 'missing' AND key = ANY(CAST(:keys AS text[]))"
                ),
                {"change": change, "keys": list(keys)},
            )


def describe(connection: Connection, snapshot: Snapshot, answers: Answers = NOT_ASKED) -> Plan:
    """The prepared plan as a value."""
    parameters = {"snapshot_id": snapshot.id, "resource_type": snapshot.resource_type, "rows": HEAD_ROWS}
    counts = connection.execute(statement(_PACKAGE, "count_plan"), parameters).one()
    head = connection.execute(statement(_PACKAGE, "plan_head"), parameters)
    problems = connection.scalar(
        text("SELECT coalesce(sum(jsonb_array_length(problems)), 0) FROM raw_pages WHERE snapshot_id = :id"),
        {"id": snapshot.id},
    )
    # Nothing is set aside without a problem, and looking for it costs a pass over all keys.
    set_aside = connection.scalar(statement(_PACKAGE, "count_set_aside"), parameters) if problems else 0
    return Plan(
        snapshot_id=snapshot.id,
        resource_type=snapshot.resource_type,
        is_full=may_delete(snapshot),
        seen=snapshot.key_count,
        still_there=len(answers.still_there),
        asking_stopped=answers.stopped,
        set_aside=int(set_aside or 0),
        problems=int(problems or 0),
        head=tuple(PlannedChange(row.key, row.change, row.title, tuple(row.fields)) for row in head),
        **counts._asdict(),
    )


def _create(connection: Connection) -> None:
    connection.execute(text("DROP TABLE IF EXISTS pg_temp.plan"))
    connection.execute(
        text(
            "CREATE TEMPORARY TABLE plan"
            " (key text PRIMARY KEY, change text NOT NULL, data jsonb, asked boolean NOT NULL DEFAULT false)"
        )
    )
