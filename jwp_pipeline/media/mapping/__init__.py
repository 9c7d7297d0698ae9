"""From a cached JWP resource, v1 or v2, to the fields of a media item, a media channel and a playlist.

Pure: any JSON value in, a result out, no exception. What cannot be read becomes KEEP and a Problem. Put here what one
resource tells by itself, without other resources and without what an earlier sync stored.
"""

from jwp_pipeline.media.mapping.channels import map_channel
from jwp_pipeline.media.mapping.items import ITEM_FIELDS, VIEW_COLUMNS, Column, map_video
from jwp_pipeline.media.mapping.results import (
    KEEP,
    AclState,
    ChannelFields,
    CreateItems,
    Keep,
    MediaType,
    Problem,
    VideoFields,
)

__all__ = [
    "ITEM_FIELDS",
    "KEEP",
    "VIEW_COLUMNS",
    "AclState",
    "ChannelFields",
    "Column",
    "CreateItems",
    "Keep",
    "MediaType",
    "Problem",
    "VideoFields",
    "map_channel",
    "map_video",
]
