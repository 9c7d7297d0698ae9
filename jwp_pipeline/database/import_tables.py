"""Defines the table of what a database of media-webapp holds and the record has no place for.

media_webapp/ fills it, so that an import loses nothing. Nothing in the pipeline reads it.
"""

from __future__ import annotations

from sqlalchemy import Column, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from jwp_pipeline.database.media_tables import NOW
from jwp_pipeline.database.tables import Base, Timestamp

media_webapp_rows = Table(
    "media_webapp_rows",
    Base.metadata,
    Column("source_table", Text, primary_key=True, comment="The table of media-webapp, as Django names it."),
    Column("id", Text, primary_key=True, comment="The primary key of the row there."),
    Column("reason", Text, primary_key=True, comment="Why the record has no place for it."),
    Column("data", JSONB, comment="The row, or those of its columns that have no place.", nullable=False),
    Column("imported_at", Timestamp, server_default=NOW, nullable=False),
)
"""Rows and columns of an imported database of media-webapp that the record has no place for."""
