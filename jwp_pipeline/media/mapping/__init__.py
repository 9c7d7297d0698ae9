"""From a cached JWP resource, v1 or v2, to the fields of a media item, a media channel and a playlist.

Pure: any JSON value in, a result out, no exception. What cannot be read becomes KEEP and a Problem.
Not here: databases, other resources (who owns an id that two claim), and what an earlier sync stored.
"""

from jwp_pipeline.media.mapping.channels import map_channel
from jwp_pipeline.media.mapping.items import map_video
from jwp_pipeline.media.mapping.results import (
    KEEP,
    ChannelFields,
    CreateItems,
    Keep,
    MediaType,
    Problem,
    VideoFields,
)

__all__ = [
    "KEEP",
    "ChannelFields",
    "CreateItems",
    "Keep",
    "MediaType",
    "Problem",
    "VideoFields",
    "map_channel",
    "map_video",
]
