"""Leases: which runs are alive, and which of them may write."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "run_leases",
        sa.Column("fencing_number", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("process_id", sa.Integer(), nullable=False),
        sa.Column("container", sa.Text(), nullable=True),
        sa.Column(
            "started_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column(
            "heartbeat_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("backend_pids", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("backend_starts", sa.ARRAY(sa.DateTime(timezone=True)), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_over_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("fencing_number"),
    )
    op.create_index("run_leases_run_id", "run_leases", ["run_id"])
