"""The library's past: one row a day and type."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    # v1 writes numbers as texts and -1 or 0 for what it does not know. Bounded, so that no value can fail or drown
    # a sum: durations to 300,000 years in seconds, sizes to 10 TB.
    op.execute(
        "CREATE FUNCTION known_quantity(value jsonb) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE"
        " RETURN CASE WHEN value #>> '{}' ~ '^[0-9]{1,13}([.][0-9]{0,30})?$'"
        " THEN nullif(CAST(value #>> '{}' AS numeric), 0) END"
    )
    op.create_table(
        "library_history",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("live", sa.Integer(), nullable=True),
        sa.Column("added", sa.Integer(), nullable=True),
        sa.Column("changed", sa.Integer(), nullable=True),
        sa.Column("restored", sa.Integer(), nullable=True),
        sa.Column("deleted", sa.Integer(), nullable=True),
        sa.Column("hours", sa.Double(), nullable=True),
        sa.Column("storage_bytes", sa.BigInteger(), nullable=True),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("computed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("day", "type"),
    )
