"""Room for what a database of media-webapp holds: several playlists of a channel, two accounts of one institution."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    # A constant default writes no row, so the tables are locked for a moment only.
    op.add_column("playlists", sa.Column("follows_channel", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.create_index(
        "playlists_of_channels",
        "playlists",
        ["media_channel_id"],
        unique=True,
        postgresql_where=sa.text("follows_channel"),
    )
    op.create_index(op.f("ix_playlists_media_channel_id"), "playlists", ["media_channel_id"])
    op.drop_constraint("playlists_media_channel_id_key", "playlists")
    op.create_index(op.f("ix_billing_accounts_lookup_instid"), "billing_accounts", ["lookup_instid"])
    op.drop_constraint("billing_accounts_lookup_instid_key", "billing_accounts")
    op.create_table(
        "media_webapp_rows",
        sa.Column("source_table", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("data", JSONB(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("source_table", "id", "reason"),
    )
