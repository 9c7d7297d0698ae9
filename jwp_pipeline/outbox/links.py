"""Records the video that JW Platform has made for an item, and where its file can be uploaded.

Put here what the record has to know about a new video.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, text

from jwp_pipeline.database.connection import WRITER_LOCK, transaction_lock
from jwp_pipeline.database.sql import statement
from jwp_pipeline.database.write_back import mark_as_pipeline
from jwp_pipeline.jwplatform.writing import UploadLink
from jwp_pipeline.media.mapping import KEEP, map_video
from jwp_pipeline.media.options import MediaOptions

LINK_SECONDS = 518_400
"""How long we use an upload link: 6 days. JW Platform keeps it for 7."""

_PACKAGE = "jwp_pipeline.outbox"


def link(connection: Connection, item_id: str, key: str, video: dict[str, Any], options: MediaOptions) -> float:
    """Link a new video to its item, in the caller's transaction, and end its creation.

    What was edited since JW Platform was asked for the video becomes an edit that waits. Returns the seconds from the
    item to its video.
    """
    fields = map_video(video, key=key, default_acl=options.default_acl, create_items=options.create_items)
    parameters = {
        "item_id": item_id,
        "key": key,
        "data": json.dumps(video),
        "updated": 0 if fields.updated is KEEP else fields.updated,
        "wants_item": fields.wants_item,
    }
    # The cache has one writer, and a listing that shows the video may be applied at this moment.
    transaction_lock(connection, WRITER_LOCK)
    mark_as_pipeline(connection)
    connection.execute(statement(_PACKAGE, "cache_created"), parameters)
    # Whoever edits the item at this moment does not see the link, so the edit has to be finished first.
    connection.execute(text("SELECT FROM media_items WHERE id = :item_id FOR NO KEY UPDATE"), {"item_id": item_id})
    if connection.execute(statement(_PACKAGE, "link_created"), parameters).rowcount:
        connection.execute(statement("jwp_pipeline.database", "edits_since_created"), {"item_ids": [item_id]})
    return float(connection.execute(statement(_PACKAGE, "mark_created"), parameters).scalar_one())


def store_link(connection: Connection, item_id: str, upload: UploadLink) -> None:
    """Store where the file of an item can be uploaded, in place of an earlier link."""
    connection.execute(
        statement(_PACKAGE, "store_link"),
        {
            "item_id": item_id,
            "url": upload.url,
            "method": upload.method,
            "content_type": upload.content_type,
            "seconds": LINK_SECONDS,
        },
    )
