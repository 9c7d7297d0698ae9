"""One budget of requests for all processes of a site, and when autovacuum comes to the tables that grow."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

# By default autovacuum comes when a fifth of a table has changed. Of a million rows that is 200,000, which take months
# of ordinary days. Until then each sync reads the rows of all pages that were written since, because its index-only
# scan may trust only the pages that a vacuum has seen.
BY_CHANGES = (
    "autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000,"
    " autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02"
)
# A log is only ever added to. A vacuum also brings its BRIN index up to date, which otherwise does not know the newest
# rows, and freezes rows while they are still in memory.
BY_INSERTS = "autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_insert_threshold = 10000"
# No index has the columns of a link or a problem that usually change. With some room in a page, the new version of a
# row stays there, and no index is written. It would not help cached_resources and media_items, where every change moves
# a column that is indexed.
WITH_ROOM = "fillfactor = 90"

SETTINGS = {
    "cached_resources": BY_CHANGES,
    "media_items": BY_CHANGES,
    "videos": f"{BY_CHANGES}, {WITH_ROOM}",
    "channels": WITH_ROOM,
    "sync_problems": WITH_ROOM,
    "sms_media_items": BY_CHANGES,
    "resource_changes": BY_INSERTS,
}


def upgrade() -> None:
    for table, settings in SETTINGS.items():
        op.execute(f"ALTER TABLE {table} SET ({settings})")
    op.create_table(
        "request_accounts",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("account"),
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "request_permits",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("lapses_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "request_lines",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("process", sa.BigInteger(), nullable=False),
        sa.Column("edits", sa.Integer(), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("writers", sa.Integer(), nullable=False),
        sa.Column("lapses_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account", "process"),
        prefixes=["UNLOGGED"],
    )
