"""Defines the tables of edits and new items on their way to JW Platform.

Triggers of media_items, which the migration 0008 creates, fill `item_updates` and `item_creations` in the transaction
of the application that writes. outbox/ does the rest. JSON values are those that the SQL function `pushed_fields`
gives.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, Sequence, Table, Text
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB

from jwp_pipeline.database.media_tables import FALSE
from jwp_pipeline.database.tables import Base, Timestamp

EDITED_AS = {
    **{
        column: column
        for column in ("title", "description", "downloadable", "language", "copyright", "tags", "published_at")
    },
    **{
        f"view_{part}": "view_permission"
        for part in ("is_public", "is_signed_in", "crsids", "lookup_groups", "lookup_insts")
    },
}
"""The field of item_updates that each pushed column of media_items belongs to."""

_CLOCK = sql("clock_timestamp()")
_ZERO = sql("0")

edit_numbers = Sequence("edit_numbers", metadata=Base.metadata)

item_updates = Table(
    "item_updates",
    Base.metadata,
    Column("media_item_id", Text, ForeignKey("media_items.id"), primary_key=True),
    Column(
        "field",
        Text,
        primary_key=True,
        comment="title | description | downloadable | language | copyright | tags | published_at | view_permission.",
    ),
    Column("base", JSONB, comment="The value that the first edit replaced which has not been pushed yet."),
    Column("base_updated", BigInteger, comment="JWP's `updated` of the video at that time.", nullable=False),
    Column(
        "edit_number",
        BigInteger,
        server_default=edit_numbers.next_value(),
        comment="Counts edits of all items. A push that was made from an earlier edit does not settle a later one.",
        nullable=False,
    ),
    Column(
        "requested_at",
        Timestamp,
        server_default=_CLOCK,
        comment="When the first of these edits was made.",
        nullable=False,
    ),
    Column("state", Text, server_default="waiting", comment="waiting | pushed | conflict | refused.", nullable=False),
    Column("tries", Integer, server_default=_ZERO, comment="Failures in a row that may pass.", nullable=False),
    Column("next_try_at", Timestamp, comment="When to try again after such a failure."),
    Column("problem", Text, comment="Why it is in conflict or refused, or why the last try failed."),
    Column("ours", JSONB, comment="In conflict or refused: the value that was edited here."),
    Column("theirs", JSONB, comment="In conflict or refused: JWP's value; null if it cannot be read."),
    Column(
        "attempted",
        JSONB,
        comment="The values that pushes set out to send since then, as a list. JWP may have one of them although no "
        "push could record it; that is then no change made there.",
    ),
    Column("pushed_at", Timestamp, comment="When JWP last confirmed the value of this field."),
    Index("item_updates_open", "media_item_id", postgresql_where=sql("state <> 'pushed'")),
)
"""The edits of each item's field since the last push: one row, however often the field was edited."""

item_creations = Table(
    "item_creations",
    Base.metadata,
    Column("media_item_id", Text, ForeignKey("media_items.id"), primary_key=True),
    Column("source_url", Text, comment="Where JWP fetches the file; NULL if it will be uploaded."),
    Column("mime_type", Text, comment="The type of the file that will be uploaded, if it is known."),
    Column("created_by", Text, comment="The user who made the item, if an application said so."),
    Column("requested_at", Timestamp, server_default=_CLOCK, nullable=False),
    Column("state", Text, server_default="waiting", comment="waiting | created | refused.", nullable=False),
    Column("tries", Integer, server_default=_ZERO, comment="Failures in a row that may pass.", nullable=False),
    Column("next_try_at", Timestamp, comment="When to try again after such a failure."),
    Column("problem", Text, comment="Why it is refused, why the last try failed, or that there are duplicates."),
    Column(
        "sent",
        JSONB,
        comment="The values that JWP was asked to create a video with, as a list: one entry for each call that may "
        "have made the video.",
    ),
    Column(
        "asked_at",
        Timestamp,
        comment="When JWP was last asked to create the video. Without a key, it is not known whether it did.",
    ),
    Column("searched_at", Timestamp, comment="When JWP was first searched for the video, and did not find it."),
    Column("key", Text, comment="The key of the video that JWP created."),
    Column("created_at", Timestamp, comment="When the video was linked to the item."),
    Index("item_creations_open", "media_item_id", postgresql_where=sql("state <> 'created'")),
)
"""Items that an application made, and the creation of their videos at JW Platform."""

upload_endpoints = Table(
    "upload_endpoints",
    Base.metadata,
    Column("media_item_id", Text, ForeignKey("media_items.id"), primary_key=True),
    Column("url", Text, comment="Whoever has it can upload a file until it expires.", nullable=False),
    Column("method", Text, comment="POST | PUT.", nullable=False),
    Column("content_type", Text, comment="The Content-Type that a PUT must have; NULL if it must have none."),
    Column("expires_at", Timestamp, nullable=False),
)
"""Where the file of an item can be uploaded; at most one for each item."""

write_back = Table(
    "write_back",
    Base.metadata,
    Column(
        "singleton",
        Boolean,
        primary_key=True,
        server_default=sql("true"),
        comment="Always true, so that there is one row at the most.",
    ),
    Column("records_edits", Boolean, server_default=FALSE, comment="JWP_SYNC_ITEMS, for the triggers.", nullable=False),
    Column(
        "reviewed_database",
        Text,
        comment="The database in which the waiting edits were shown before the first push. A restored copy is another.",
    ),
    Column("reviewed_at", Timestamp),
    CheckConstraint("singleton", name="write_back_singleton"),
)
"""Whether edits are recorded, and whether they may be pushed from this database."""
