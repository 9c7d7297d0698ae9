"""Edits of the record on their way to JW Platform: recorded by triggers, merged with what JW Platform has, and pushed.

An application that edits items only writes to the record. It imports from here what makes new items and uploads, and
what shows and decides conflicts; docs/using-the-record.md shows how.
"""

from jwp_pipeline.errors import JWPlatformError, NothingToResolve, NoVideoYet
from jwp_pipeline.jwplatform.writing import UploadLink
from jwp_pipeline.outbox.report import Outbox, read_outbox
from jwp_pipeline.outbox.resolve import ItemUpdate, resolve, updates_of
from jwp_pipeline.outbox.uploads import create_item, upload_endpoint

__all__ = [
    "ItemUpdate",
    "JWPlatformError",
    "NoVideoYet",
    "NothingToResolve",
    "Outbox",
    "UploadLink",
    "create_item",
    "read_outbox",
    "resolve",
    "updates_of",
    "upload_endpoint",
]
