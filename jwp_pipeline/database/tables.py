"""Defines the tables of the mirror and of its runs as SQLAlchemy models.

The models name no schema. Every connection of `connection.open_engine` has exactly one schema on its search path
(JWP_DATABASE_SCHEMA), so several sites can share a database without affecting each other. All times are UTC, in columns
of type `timestamptz`. The `comment` of a column is its description in Dagster and, after a migration, in PostgreSQL.
mirror/ and media/ write the rows.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Select,
    SmallInteger,
    Text,
    Uuid,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Timestamp = DateTime(timezone=True)


class Base(DeclarativeBase):
    """The base class of our models; a test compares `Base.metadata` with what the migrations create."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own way to set it
        str: Text,
        datetime: Timestamp,
        dict[str, Any]: JSONB,
        list[str]: ARRAY(Text),
    }


class RawSnapshot(Base):
    """One read of the listing of one type, with its result and whether it was applied."""

    __tablename__ = "raw_snapshots"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    resource_type: Mapped[str]
    api_version: Mapped[str]
    scope: Mapped[str] = mapped_column(
        server_default="full", comment="full | incremental | keys: everything, what changed, or single keys."
    )
    status: Mapped[str] = mapped_column(
        server_default="running",
        comment="running | verified | incomplete | quarantined | failed; applied_at says whether it was applied.",
    )
    complete: Mapped[bool] = mapped_column(
        server_default=text("false"),
        comment="Whether the listing proved complete; unlike the status, this never changes.",
    )
    expected_total: Mapped[int | None]
    resource_count: Mapped[int] = mapped_column(
        server_default=text("0"), comment="Elements landed, repeats and unusable ones included."
    )
    key_count: Mapped[int] = mapped_column(server_default=text("0"), comment="Distinct usable keys among them.")
    page_count: Mapped[int] = mapped_column(server_default=text("0"))
    request_count: Mapped[int] = mapped_column(server_default=text("0"))
    retry_count: Mapped[int] = mapped_column(server_default=text("0"))
    newest_change: Mapped[datetime | None] = mapped_column(comment="JWP's newest change stamp among what was listed.")
    started_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    finished_at: Mapped[datetime | None]
    applied_at: Mapped[datetime | None]
    released_at: Mapped[datetime | None] = mapped_column(
        comment="When somebody let it pass the guard; it does so once."
    )
    released_by: Mapped[str | None]
    withheld: Mapped[int] = mapped_column(
        server_default=text("0"), comment="Deletions that were withheld when it was applied; 0 after a release."
    )
    withheld_keys: Mapped[list[str] | None] = mapped_column(
        comment="The keys that a release of this snapshot is for; NULL where it withholds none."
    )
    slot: Mapped[int | None] = mapped_column(
        SmallInteger, comment="The partition of raw_pages that holds its pages alone; NULL if it has none."
    )
    absent_keys: Mapped[list[str] | None] = mapped_column(
        comment="Of scope keys: those that JWP answered 404 for; NULL for other scopes."
    )
    dagster_run_id: Mapped[str | None]
    problem: Mapped[str | None]

    __table_args__ = (
        Index("raw_snapshots_type_id", "resource_type", "id"),
        Index("raw_snapshots_slot", "slot", unique=True, postgresql_where=text("slot IS NOT NULL")),
    )


class RawPage(Base):
    """One page of a snapshot to the letter, with its ledger: what is known of each element without reading the body.

    The migrations make the partitions; mirror/slots.py says which one a snapshot gets.
    """

    __tablename__ = "raw_pages"

    snapshot_id: Mapped[int] = mapped_column(ForeignKey("raw_snapshots.id", ondelete="CASCADE"), primary_key=True)
    page_number: Mapped[int] = mapped_column(Integer, primary_key=True)
    slot: Mapped[int] = mapped_column(
        SmallInteger, primary_key=True, comment="The partition: 0 for the shared one, else that of one snapshot."
    )
    body: Mapped[str] = mapped_column(comment="The JSON text as JWP sent it.")
    mended: Mapped[str | None] = mapped_column(
        comment="The text with what PostgreSQL can store of it, if that is not everything; NULL otherwise."
    )
    resource_count: Mapped[int]
    keys: Mapped[list[str]] = mapped_column(
        ARRAY(Text), comment="Key of each element, in order; NULL where an element has no usable one."
    )
    digests: Mapped[list[Any] | None] = mapped_column(
        ARRAY(Uuid), comment="128 bits of each element's text and its origin; NULL if every element is to be compared."
    )
    problems: Mapped[dict[str, Any]] = mapped_column(
        JSONB,
        server_default=text("'[]'::jsonb"),
        comment="[{key, field, value, problem}] found while landing; they reach sync_problems when it is applied.",
    )

    __table_args__ = ({"postgresql_partition_by": "LIST (slot)"},)


class LiveOfType:
    """A class attribute whose value is a query for the live rows of one type."""

    def __init__(self, resource_type: str) -> None:
        self.resource_type = resource_type

    def __get__(self, instance: object, owner: type[CachedResource]) -> Select[CachedResource]:
        return select(owner).where(owner.type == self.resource_type, owner.deleted_at.is_(None))


class CachedResource(Base):
    """A JWP resource as last seen. `data` is what JWP sent; a deleted resource keeps its last data.

    `CachedResource.videos` and `CachedResource.channels` are queries for the live resources, which callers can refine:
    `session.scalars(CachedResource.videos.where(CachedResource.data["custom"]["sms_media_id"].astext == "media:1:"))`.
    """

    __tablename__ = "cached_resources"

    type: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    digest: Mapped[UUID | None] = mapped_column(
        Uuid, comment="128 bits of the text that `data` was read from, and of its origin; NULL if that is not known."
    )
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    updated_at: Mapped[datetime] = mapped_column(
        server_default=text("now()"), comment="Moves only when `data` really changed or the row was restored."
    )
    deleted_at: Mapped[datetime | None] = mapped_column(
        comment="When JW Platform answered 404 for it, or somebody released its deletion; NULL while it lives."
    )
    missing_since: Mapped[datetime | None] = mapped_column(
        comment="When a complete listing missed it first; NULL again as soon as any listing has it, or once it is "
        "deleted."
    )
    asked_at: Mapped[datetime | None] = mapped_column(
        comment="When JW Platform was last asked about it and did not say that it is gone; NULL while it is not "
        "missing."
    )
    pushed_at: Mapped[datetime | None] = mapped_column(
        comment="When a push created it at JW Platform; NULL as soon as any listing has it."
    )

    videos = LiveOfType("video")
    channels = LiveOfType("channel")

    __table_args__ = (
        Index("cached_resources_missing", "type", "key", postgresql_where=text("missing_since IS NOT NULL")),
        Index("cached_resources_pushed", "type", "key", postgresql_where=text("pushed_at IS NOT NULL")),
        Index("cached_resources_data", "data", postgresql_using="gin", postgresql_ops={"data": "jsonb_path_ops"}),
        # Every sync reads these columns of all live rows; an index-only scan does that without reading their data.
        Index(
            "cached_resources_live", "type", "key", "updated_at", "digest", postgresql_where=text("deleted_at IS NULL")
        ),
    )


class MirroredSite(Base):
    """The one JW Platform site that this schema mirrors."""

    __tablename__ = "mirrored_site"

    singleton: Mapped[bool] = mapped_column(
        primary_key=True, server_default=text("true"), comment="Always true, so that there is one row at the most."
    )
    site_id: Mapped[str] = mapped_column(comment="The property key, which is v2's site id.")
    since: Mapped[datetime] = mapped_column(server_default=text("now()"))
    adopted_by: Mapped[str | None] = mapped_column(
        comment="Who made the schema follow this site after it had followed another."
    )

    __table_args__ = (CheckConstraint("singleton", name="mirrored_site_singleton"),)


ChangeKind = Literal["added", "changed", "restored", "deleted"]


class ResourceChange(Base):
    """One change of a cached resource, written in the same transaction as the change."""

    __tablename__ = "resource_changes"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    snapshot_id: Mapped[int | None] = mapped_column(
        ForeignKey("raw_snapshots.id"), comment="The read that showed it; NULL for a video that a push created."
    )
    type: Mapped[str]
    key: Mapped[str]
    change: Mapped[str] = mapped_column(comment="added | changed | restored | deleted.")
    changed_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    changed_fields: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB, comment="{field: [old, new]} of the top-level fields that differ; NULL for added and deleted."
    )

    __table_args__ = (
        Index("resource_changes_resource", "type", "key"),
        Index("resource_changes_changed_at", "changed_at", postgresql_using="brin"),
        Index("resource_changes_snapshot", "snapshot_id"),
    )


class SyncProblem(Base):
    """Something in a resource that could not be read. The problem is open until a sync no longer finds it."""

    __tablename__ = "sync_problems"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    stage: Mapped[str] = mapped_column(
        comment="Which part of the sync found it, and will resolve it: cache | mapping | ownership | permission | push."
    )
    type: Mapped[str]
    key: Mapped[str] = mapped_column(comment="Key of the resource, or its position in the listing where it has none.")
    field: Mapped[str]
    value: Mapped[str | None] = mapped_column(comment="At most 500 characters.")
    problem: Mapped[str]
    first_seen_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    last_seen_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    resolved_at: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "sync_problems_open",
            "stage",
            "type",
            "key",
            "field",
            unique=True,
            postgresql_where=text("resolved_at IS NULL"),
        ),
    )


class RunLease(Base):
    """The heartbeat of one run, and its right to write; see leases.py."""

    __tablename__ = "run_leases"

    fencing_number: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    run_id: Mapped[str]
    host: Mapped[str]
    process_id: Mapped[int]
    container: Mapped[str | None] = mapped_column(
        comment="The namespace of process ids: tells apart containers that call themselves by the same host name."
    )
    started_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    heartbeat_at: Mapped[datetime] = mapped_column(
        server_default=text("clock_timestamp()"),
        comment="When the run last said that it lives, by the clock of the server.",
    )
    backend_pids: Mapped[list[int]] = mapped_column(
        ARRAY(Integer),
        comment="The database sessions of the run, as pg_stat_activity knows them: a takeover ends them.",
    )
    backend_starts: Mapped[list[datetime]] = mapped_column(
        ARRAY(Timestamp), comment="When each of these sessions began: the server uses process ids again."
    )
    ended_at: Mapped[datetime | None] = mapped_column(
        comment="When the run ended, or was declared dead; it may write only while this is NULL."
    )
    taken_over_by: Mapped[str | None] = mapped_column(comment="Who declared it dead; NULL when it ended by itself.")

    __table_args__ = (Index("run_leases_run_id", "run_id"),)
