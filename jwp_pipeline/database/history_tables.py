"""Defines the table of the library's history, with one row for each day and type.

history/ computes the rows, from the change log that is defined in tables.py.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from jwp_pipeline.database.tables import Base


class LibraryDay(Base):
    """The state of the library at the end of a day (UTC), and the changes that the mirror saw on that day.

    Unknown numbers are NULL.
    """

    __tablename__ = "library_history"

    day: Mapped[date] = mapped_column(primary_key=True, comment="From midnight to midnight UTC.")
    type: Mapped[str] = mapped_column(primary_key=True, comment="video | channel.")
    live: Mapped[int | None] = mapped_column(comment="Resources that JWP listed at the end of the day.")
    added: Mapped[int | None] = mapped_column(
        comment="Changes that the log dates on this day: when the mirror saw them, not when they were made at JWP."
    )
    changed: Mapped[int | None]
    restored: Mapped[int | None]
    deleted: Mapped[int | None]
    hours: Mapped[float | None] = mapped_column(
        comment="Sum of the durations of the live videos, in hours; NULL for channels and where no duration is known."
    )
    storage_bytes: Mapped[int | None] = mapped_column(
        BigInteger,
        comment="Sum of the sizes of the live videos; NULL for channels and where no size is known, as in v2.",
    )
    complete: Mapped[bool] = mapped_column(
        comment="Whether the day was over and the change log reaches it: then the row is right and stays so."
    )
    note: Mapped[str | None] = mapped_column(comment="Why it is not complete, and what to know of its numbers.")
    computed_at: Mapped[datetime] = mapped_column(
        server_default=text("now()"),
        comment="When the row came out as it is; computing the same again does not move it.",
    )
