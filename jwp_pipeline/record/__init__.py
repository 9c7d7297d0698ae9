"""The record as applications read it: its models, who may see a row, and where it plays.

An application imports this package and nothing else of ours; docs/using-the-record.md shows how.
"""

from jwp_pipeline.access import (
    ANONYMOUS,
    Access,
    AceCam,
    AceGroup,
    AceInst,
    AceUser,
    AceWorld,
    Lookup,
    Membership,
    People,
    Person,
    User,
    build_acl,
    check_user_access,
)
from jwp_pipeline.database.tables import CachedResource
from jwp_pipeline.delivery import (
    Source,
    get_sources,
    pd_api_url,
    player_embed_url,
    player_library_url,
    poster_url,
    signed_url,
)
from jwp_pipeline.errors import DatabaseError, DeliveryError, SettingsError
from jwp_pipeline.record.models import (
    BillingAccount,
    Channel,
    MediaChannel,
    MediaItem,
    Playlist,
    SmsCollection,
    SmsMediaItem,
    Video,
)
from jwp_pipeline.record.sessions import attach_settings, open_engine
from jwp_pipeline.settings import Settings, load_settings

__all__ = [
    "ANONYMOUS",
    "Access",
    "AceCam",
    "AceGroup",
    "AceInst",
    "AceUser",
    "AceWorld",
    "BillingAccount",
    "CachedResource",
    "Channel",
    "DatabaseError",
    "DeliveryError",
    "Lookup",
    "MediaChannel",
    "MediaItem",
    "Membership",
    "People",
    "Person",
    "Playlist",
    "Settings",
    "SettingsError",
    "SmsCollection",
    "SmsMediaItem",
    "Source",
    "User",
    "Video",
    "attach_settings",
    "build_acl",
    "check_user_access",
    "get_sources",
    "load_settings",
    "open_engine",
    "pd_api_url",
    "player_embed_url",
    "player_library_url",
    "poster_url",
    "signed_url",
]
