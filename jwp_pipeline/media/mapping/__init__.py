"""Maps a cached JWP resource in v1 or v2 shape to the fields of a media item, a media channel and a playlist.

The functions are pure: they accept any JSON value and never raise for one. A field that cannot be read becomes KEEP and
a Problem. Put here what can be read from one resource, without other resources and without what earlier syncs stored.
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
