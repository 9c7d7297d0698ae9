"""Makes new items in the record, and gives the link through which the file of an item is uploaded.

Put here what an application calls to add a video. The next push makes the video at JW Platform.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from jwp_pipeline.access import ANONYMOUS, User
from jwp_pipeline.access.users import username_of
from jwp_pipeline.database.media_tables import new_id
from jwp_pipeline.database.outbox_tables import item_creations, upload_endpoints
from jwp_pipeline.database.request_budget import RequestBudget
from jwp_pipeline.errors import NoVideoYet
from jwp_pipeline.jwplatform.connect import account_of, connect_writing
from jwp_pipeline.jwplatform.writing import UploadLink, WritingClient
from jwp_pipeline.outbox.links import store_link
from jwp_pipeline.record.models import MediaItem
from jwp_pipeline.record.sessions import settings_of


def create_item(
    session: Session,
    *,
    title: str,
    created_by: User = ANONYMOUS,
    source_url: str | None = None,
    mime_type: str | None = None,
    **fields: Any,
) -> MediaItem:
    """Make an item, its view permission and its row in the outbox, in the session's transaction, and return it.

    `created_by` alone may view it, unless `fields` gives another permission; nobody may if that user is anonymous.
    JW Platform fetches the file from `source_url`, or it is uploaded as a file of type `mime_type` once a push has
    made the video (`upload_endpoint`). `fields` are further columns of media_items.
    """
    username = username_of(created_by)
    item = MediaItem(
        **{
            "id": new_id(),
            "title": title,
            "description": "",
            "type": "unknown",
            "duration": 0.0,
            "published_at": datetime.now(UTC).replace(microsecond=0),
            "downloadable": False,
            "language": "",
            "copyright": "",
            "tags": [],
            "view_is_public": False,
            "view_is_signed_in": False,
            "view_crsids": [] if username is None else [username],
            "view_lookup_groups": [],
            "view_lookup_insts": [],
            **fields,
        }
    )
    session.add(item)
    session.flush()
    session.execute(
        insert(item_creations).values(
            media_item_id=item.id,
            source_url=source_url,
            mime_type=mime_type,
            created_by=username,
        )
    )
    return item


def upload_endpoint(
    session: Session, item: MediaItem, *, client: Callable[[], WritingClient] | None = None
) -> UploadLink:
    """Return a link for uploading the item's file; a new one from JW Platform if there is none that is still valid.

    A file that is sent there replaces the item's file. The link is stored in the session's transaction. Raises
    NoVideoYet if no push has made the video or it is gone, SettingsError, and JWPlatformError.
    """
    if item.video is None or item.video.deleted_at is not None:
        raise NoVideoYet(
            f"Item {item.id} has no video at JW Platform, so no file can be uploaded for it. If it is new, the next "
            "push makes its video; `jwp-pipeline edits` shows whether that failed."
        )
    known = session.execute(
        select(upload_endpoints).where(
            upload_endpoints.c.media_item_id == item.id, upload_endpoints.c.expires_at > func.clock_timestamp()
        )
    ).one_or_none()
    if known is not None:
        return UploadLink(known.url, known.method, known.content_type)
    mime_type = session.scalar(select(item_creations.c.mime_type).where(item_creations.c.media_item_id == item.id))
    with ExitStack() as stack:
        if client is None:
            settings = settings_of(item)
            engine = session.connection().engine
            budget = stack.enter_context(closing(RequestBudget(lambda: engine, account_of(settings))))
            # Somebody waits for the page that shows the link.
            writing = connect_writing(settings, budget=budget, hurried=True)
        else:
            writing = client()
        stack.callback(writing.close)
        link = writing.renew_upload(item.video.key, mime_type=mime_type)
    store_link(session.connection(), item.id, link)
    return link
