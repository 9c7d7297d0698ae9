"""Names the tables and columns of media-webapp's database that an import reads (up to migration mediaplatform 0027).

Put here what that database looks like. What its rows become is in sql/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SOURCE_SCHEMA = "public"


@dataclass(frozen=True, slots=True)
class SourceTable:
    """A table of media-webapp, and the temporary table that it is copied into."""

    name: str
    """As Django names it."""
    copy: str
    key: str
    """The primary key."""
    columns: Mapping[str, str]
    """The columns to read, with the types that they have in the temporary table."""


_PERMISSION = {
    "crsids": "text[]",
    "lookup_groups": "text[]",
    "lookup_insts": "text[]",
    "is_public": "boolean",
    "is_signed_in": "boolean",
}
_TIMES = {"created_at": "timestamptz", "updated_at": "timestamptz"}
_SOFT_DELETE = {**_TIMES, "deleted_at": "timestamptz"}

TABLES = (
    SourceTable(
        "mediaplatform_billingaccount",
        "webapp_accounts",
        "id",
        {"id": "text", "description": "text", "lookup_instid": "text", **_TIMES},
    ),
    SourceTable(
        "mediaplatform_channel",
        "webapp_channels",
        "id",
        {"id": "text", "billing_account_id": "text", "title": "text", "description": "text", **_SOFT_DELETE},
    ),
    SourceTable(
        "mediaplatform_mediaitem",
        "webapp_items",
        "id",
        {
            "id": "text",
            "channel_id": "text",
            "title": "text",
            "description": "text",
            "duration": "float8",
            "type": "text",
            "published_at": "timestamptz",
            "downloadable": "boolean",
            "language": "text",
            "copyright": "text",
            "tags": "text[]",
            "initially_fetched_from_url": "text",
            **_SOFT_DELETE,
        },
    ),
    SourceTable(
        "mediaplatform_playlist",
        "webapp_playlists",
        "id",
        {
            "id": "text",
            "channel_id": "text",
            "title": "text",
            "description": "text",
            "media_items": "text[]",
            **_SOFT_DELETE,
        },
    ),
    SourceTable(
        "mediaplatform_permission",
        "webapp_permissions",
        "id",
        {
            "id": "text",
            "allows_view_item_id": "text",
            "allows_edit_channel_id": "text",
            "allows_view_playlist_id": "text",
            "allows_create_channel_on_billing_account_id": "text",
            **_PERMISSION,
        },
    ),
    SourceTable(
        "mediaplatform_uploadendpoint",
        "webapp_endpoints",
        "id",
        {"id": "text", "item_id": "text", "url": "text", "expires_at": "timestamptz"},
    ),
    SourceTable(
        "mediaplatform_transcriptionrequest",
        "webapp_transcriptions",
        "id",
        {"id": "text", "media_item_id": "text", "state": "text", **_TIMES},
    ),
    SourceTable(
        "mediaplatform_jwp_cachedresource",
        "webapp_resources",
        "key",
        {"key": "text", "type": "text", "data": "jsonb", **_SOFT_DELETE},
    ),
    SourceTable(
        "mediaplatform_jwp_video",
        "webapp_videos",
        "key",
        {"key": "text", "updated": "bigint", "item_id": "text", "resource_id": "text"},
    ),
    SourceTable(
        "mediaplatform_jwp_channel",
        "webapp_jwp_channels",
        "key",
        {"key": "text", "updated": "bigint", "channel_id": "text", "resource_id": "text"},
    ),
    SourceTable(
        "legacysms_mediaitem",
        "webapp_sms_items",
        "id",
        {"id": "bigint", "item_id": "text", "last_updated_at": "timestamptz"},
    ),
    SourceTable(
        "legacysms_collection",
        "webapp_sms_collections",
        "id",
        {"id": "bigint", "channel_id": "text", "playlist_id": "text", "last_updated_at": "timestamptz"},
    ),
)

OURS = {
    "mediaplatform_billingaccount": "billing_accounts",
    "mediaplatform_channel": "media_channels",
    "mediaplatform_mediaitem": "media_items",
    "mediaplatform_playlist": "playlists",
    "mediaplatform_uploadendpoint": "upload_endpoints",
    "mediaplatform_jwp_cachedresource": "cached_resources",
    "mediaplatform_jwp_video": "videos",
    "mediaplatform_jwp_channel": "channels",
    "legacysms_mediaitem": "sms_media_items",
    "legacysms_collection": "sms_collections",
}
"""The table of the record that each table becomes. The others have no table of their own here."""

NOT_READ = (
    "users and their rights (auth_user and the tables around it), Lookup names of users (automationlookup_userlookup)",
    "views by day (schema stats)",
    "columns text_search_vector, which the record computes itself",
)
"""What an import does not look at, for people to read."""
