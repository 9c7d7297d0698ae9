"""The plan: what applying a snapshot would do to cached_resources, computed once, as a value.

Dry run prints it, apply executes it, metadata shows it. The planned rows themselves stand in the temporary
table `plan` of the connection that made it. Not here: asking JWP again (confirm.py), executing (apply.py).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, text

from jwp_pipeline.database.sql import statement
from jwp_pipeline.jwplatform.management import ResourceType
from jwp_pipeline.mirror import pages
from jwp_pipeline.mirror.options import MirrorOptions
from jwp_pipeline.mirror.snapshots import Snapshot, may_delete, require_pages

HEAD_ROWS = 10


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
    live: int
    """Live rows before."""
    seen: int
    """Distinct usable keys in the snapshot."""
    added: int
    changed: int
    refreshed: int
    """Differ in volatile fields only: rewritten, but no change worth a row in the log."""
    restored: int
    deleted: int
    spared: int
    """Missing from the listing, but not deleted: JWP still has them, or it was not to be asked."""
    set_aside: int
    """Listed, but not as anything that can be stored, and not cached from before either."""
    problems: int
    head: tuple[PlannedChange, ...]

    @property
    def unchanged(self) -> int:
        """Listed rows that stay as they are."""
        return self.seen - self.added - self.changed - self.refreshed - self.restored - self.set_aside

    @property
    def rows(self) -> int:
        """Rows of cached_resources to be written."""
        return self.added + self.changed + self.refreshed + self.restored + self.deleted

    def refusal(self, options: MirrorOptions) -> str | None:
        """Why the guard refuses this plan, or None. Always measured against all live rows."""
        if self.live < options.guard_min_rows:
            return None
        for verb, count, ratio, setting in (
            ("delete", self.deleted, options.max_delete_ratio, "JWP_MAX_DELETE_RATIO"),
            ("change", self.changed, options.max_change_ratio, "JWP_MAX_CHANGE_RATIO"),
        ):
            if count > ratio * self.live:
                return (
                    f"it would {verb} {count} of {self.live} live {self.resource_type}s "
                    f"({count / self.live:.0%}), more than {setting}={ratio:g} allows"
                )
        return None


def prepare(connection: Connection, snapshot: Snapshot, options: MirrorOptions) -> list[str]:
    """Fill the temporary table `plan` for a snapshot; the keys it would delete, unconfirmed.

    Only a verified full snapshot can delete. The caller holds the apply lock. Raises NothingToRelease when its pages
    are gone.
    """
    parameters = {
        "snapshot_id": snapshot.id,
        "resource_type": snapshot.resource_type,
        "array_field": pages.array_field(snapshot.api_version, snapshot.resource_type),
        "volatile_fields": list(options.volatile_fields),
        # Looking for keys listed more than once means sorting them all.
        "has_repeats": snapshot.resource_count > snapshot.key_count,
    }
    connection.execute(text("DROP TABLE IF EXISTS pg_temp.plan"))
    connection.execute(text("CREATE TEMPORARY TABLE plan (key text PRIMARY KEY, change text NOT NULL, data jsonb)"))
    connection.execute(text("SET LOCAL work_mem TO '64MB'"))
    connection.execute(statement("jwp_pipeline.mirror", "plan_listed"), parameters)
    if not may_delete(snapshot):
        return []
    connection.execute(statement("jwp_pipeline.mirror", "plan_missing"), parameters)
    # Pages never come back: if all are there now, each statement saw them all, and no key is missing because another
    # process has pruned them meanwhile.
    require_pages(connection, snapshot)
    return list(connection.scalars(text("SELECT key FROM plan WHERE change = 'deleted' ORDER BY key")))


def spare(connection: Connection, keys: Collection[str]) -> None:
    """Take deletions out of the prepared plan."""
    if keys:
        connection.execute(
            text("DELETE FROM plan WHERE change = 'deleted' AND key = ANY(CAST(:keys AS text[]))"),
            {"keys": list(keys)},
        )


def describe(connection: Connection, snapshot: Snapshot, *, spared: int) -> Plan:
    """The prepared plan as a value."""
    parameters = {"snapshot_id": snapshot.id, "resource_type": snapshot.resource_type, "rows": HEAD_ROWS}
    counts = connection.execute(statement("jwp_pipeline.mirror", "count_plan"), parameters).one()
    head = connection.execute(statement("jwp_pipeline.mirror", "plan_head"), parameters)
    problems = connection.scalar(
        text("SELECT coalesce(sum(jsonb_array_length(problems)), 0) FROM raw_pages WHERE snapshot_id = :id"),
        {"id": snapshot.id},
    )
    # Nothing is set aside without a problem, and looking for it costs a pass over all keys.
    set_aside = connection.scalar(statement("jwp_pipeline.mirror", "count_set_aside"), parameters) if problems else 0
    return Plan(
        snapshot_id=snapshot.id,
        resource_type=snapshot.resource_type,
        seen=snapshot.key_count,
        spared=spared,
        set_aside=int(set_aside or 0),
        problems=int(problems or 0),
        head=tuple(PlannedChange(row.key, row.change, row.title, tuple(row.fields)) for row in head),
        **counts._asdict(),
    )
