"""A stand-in for the migration of the ledger, which another branch brings."""

from __future__ import annotations

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Change nothing."""
