"""Stands in for the outbox, which is made at the same time."""

from __future__ import annotations

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    pass
