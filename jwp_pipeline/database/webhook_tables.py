"""Defines the table of JW Platform's own events (semantics §12).

webhooks/ stores the events and marks them as handled; the snapshots that handle them are defined in tables.py.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from jwp_pipeline.database.tables import Base


class JwpEvent(Base):
    """One event that JW Platform reported. It says which key to look at, and nothing about what changed."""

    __tablename__ = "jwp_events"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    event: Mapped[str] = mapped_column(comment="JWP's name for what happened, such as media_updated.")
    site_id: Mapped[str]
    webhook_id: Mapped[str]
    type: Mapped[str] = mapped_column(
        comment="video | channel; a channel is a live channel, which no listing contains."
    )
    key: Mapped[str]
    event_time: Mapped[datetime] = mapped_column(comment="When it happened, by JWP's clock.")
    received_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    snapshot_id: Mapped[int | None] = mapped_column(
        ForeignKey("raw_snapshots.id"), comment="The read of JWP that was made because of it; NULL before that."
    )
    handled_at: Mapped[datetime | None] = mapped_column(
        comment="When that read was applied to the cache, or when it was received if there is nothing to look at."
    )

    __table_args__ = (
        # JWP may deliver an event several times, and so may somebody who recorded it.
        UniqueConstraint(
            "key", "event_time", "event", "webhook_id", "site_id", "type", name="jwp_events_delivered_once"
        ),
        Index("jwp_events_waiting", "received_at", postgresql_where=text("handled_at IS NULL")),
        Index("jwp_events_snapshot", "snapshot_id", postgresql_where=text("handled_at IS NULL")),
        Index("jwp_events_handled", "handled_at", postgresql_where=text("handled_at IS NOT NULL")),
    )
