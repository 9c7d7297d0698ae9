"""A stand-in, which the real migration of this number replaces."""

from __future__ import annotations

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    pass
