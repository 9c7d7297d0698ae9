"""The mirror: raw snapshots, cached resources, change log, problems."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0001"
down_revision = None

NOW = sa.text("now()")
ZERO = sa.text("0")


def _time(name: str, *, default: sa.TextClause | None = None, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=nullable)


def _text(name: str, *, nullable: bool = False, **options: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable, **options)  # type: ignore[arg-type]


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), server_default=ZERO, nullable=False)


def upgrade() -> None:
    op.create_table(
        "raw_snapshots",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        _text("resource_type"),
        _text("api_version"),
        _text("scope", server_default="full"),
        _text("status", server_default="running"),
        sa.Column("complete", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("expected_total", sa.Integer()),
        _count("resource_count"),
        _count("key_count"),
        _count("page_count"),
        _count("request_count"),
        _count("retry_count"),
        _time("newest_change"),
        _time("started_at", default=sa.text("clock_timestamp()"), nullable=False),
        _time("finished_at"),
        _time("applied_at"),
        _time("released_at"),
        _text("released_by", nullable=True),
        sa.Column("spared_keys", ARRAY(sa.Text())),
        _text("dagster_run_id", nullable=True),
        _text("problem", nullable=True),
    )
    op.create_index("raw_snapshots_type_id", "raw_snapshots", ["resource_type", "id"])
    op.create_table(
        "raw_pages",
        sa.Column(
            "snapshot_id",
            sa.BigInteger(),
            sa.ForeignKey("raw_snapshots.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("page_number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("body", JSONB(), nullable=False),
        sa.Column("resource_count", sa.Integer(), nullable=False),
        sa.Column("keys", ARRAY(sa.Text()), nullable=False),
        sa.Column("problems", JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
    )
    # lz4 is several times faster than pglz, but a server may be built without it.
    op.execute(
        "DO $$ BEGIN ALTER TABLE raw_pages ALTER COLUMN body SET COMPRESSION lz4;"
        " EXCEPTION WHEN feature_not_supported THEN NULL; END $$"
    )
    op.create_table(
        "cached_resources",
        sa.Column("type", sa.Text(), primary_key=True),
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("data", JSONB(), nullable=False),
        _time("created_at", default=NOW, nullable=False),
        _time("updated_at", default=NOW, nullable=False),
        _time("deleted_at"),
    )
    op.create_index(
        "cached_resources_data",
        "cached_resources",
        ["data"],
        postgresql_using="gin",
        postgresql_ops={"data": "jsonb_path_ops"},
    )
    op.create_index(
        "cached_resources_type", "cached_resources", ["type"], postgresql_where=sa.text("deleted_at IS NULL")
    )
    op.create_table(
        "resource_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        sa.Column("snapshot_id", sa.BigInteger(), sa.ForeignKey("raw_snapshots.id"), nullable=False),
        _text("type"),
        _text("key"),
        _text("change"),
        _time("changed_at", default=NOW, nullable=False),
        sa.Column("changed_fields", JSONB()),
    )
    op.create_index("resource_changes_resource", "resource_changes", ["type", "key"])
    op.create_index("resource_changes_changed_at", "resource_changes", ["changed_at"], postgresql_using="brin")
    op.create_index("resource_changes_snapshot", "resource_changes", ["snapshot_id"])
    op.create_table(
        "sync_problems",
        sa.Column("id", sa.BigInteger(), sa.Identity(), primary_key=True),
        _text("stage"),
        _text("type"),
        _text("key"),
        _text("field"),
        _text("value", nullable=True),
        _text("problem"),
        _time("first_seen_at", default=NOW, nullable=False),
        _time("last_seen_at", default=NOW, nullable=False),
        _time("resolved_at"),
    )
    op.create_index(
        "sync_problems_open",
        "sync_problems",
        ["stage", "type", "key", "field"],
        unique=True,
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    for view, fields in (("raw_videos", ("videos", "media")), ("raw_channels", ("channels", "playlists"))):
        op.execute(
            f"CREATE VIEW {view} AS"
            " SELECT page.snapshot_id, page.page_number, element.position, element.key, element.data"
            " FROM raw_pages AS page CROSS JOIN LATERAL ROWS FROM (jsonb_array_elements("
            f"coalesce(page.body -> '{fields[0]}', page.body -> '{fields[1]}', page.body -> 'resources')),"
            " unnest(page.keys)) WITH ORDINALITY AS element (data, key, position) WHERE page.snapshot_id = ("
            "SELECT max(id) FROM raw_snapshots"
            f" WHERE resource_type = '{view[4:-1]}' AND scope = 'full' AND status NOT IN ('running', 'failed'))"
        )
    for view, resource_type in (("live_videos", "video"), ("live_channels", "channel")):
        op.execute(
            f"CREATE VIEW {view} AS SELECT key, coalesce(data ->> 'title', data -> 'metadata' ->> 'title') AS title,"
            " data, created_at, updated_at FROM cached_resources"
            f" WHERE type = '{resource_type}' AND deleted_at IS NULL"
        )
