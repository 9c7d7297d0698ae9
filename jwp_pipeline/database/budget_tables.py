"""Defines the tables in which the processes of a site count their requests to JW Platform; request_budget.py uses them.

The tables are UNLOGGED: nothing in them is worth more than a few minutes, and so counting writes no WAL. A crash of the
server empties them.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Identity, text
from sqlalchemy.orm import Mapped, mapped_column

from jwp_pipeline.database.tables import Base

_UNLOGGED = {"prefixes": ["UNLOGGED"]}


class RequestAccount(Base):
    """An account whose requests are counted together. Its row is locked while one of them is decided."""

    __tablename__ = "request_accounts"

    account: Mapped[str] = mapped_column(
        primary_key=True, comment="A digest of the address of the API and the key of the site."
    )
    not_before: Mapped[datetime | None] = mapped_column(comment="No request before, because JW Platform asked for it.")

    __table_args__ = _UNLOGGED


class RequestPermit(Base):
    """One request, which counts until a window after it was answered."""

    __tablename__ = "request_permits"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    account: Mapped[str]
    begun_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    lapses_at: Mapped[datetime] = mapped_column(
        comment="When it counts as answered, if nothing is heard of it: its process may have been killed."
    )
    answered_at: Mapped[datetime | None]

    __table_args__ = _UNLOGGED


class RequestLine(Base):
    """What one process waits for, or may want at any time, before the requests of listings."""

    __tablename__ = "request_lines"

    account: Mapped[str] = mapped_column(primary_key=True)
    process: Mapped[int] = mapped_column(BigInteger, primary_key=True, comment="A number that the process has drawn.")
    edits: Mapped[int] = mapped_column(comment="Requests of clients that write, which wait.")
    looks: Mapped[int] = mapped_column(comment="Requests about single keys of events, which wait.")
    writers: Mapped[int] = mapped_column(comment="Clients that may write at any time.")
    lapses_at: Mapped[datetime] = mapped_column(comment="Until when this counts, unless the process says it again.")

    __table_args__ = _UNLOGGED
