"""The same library synced without faults into a schema of its own, and how the record must equal that.

Compared is everything that both must agree on: not ids, not the times of syncs, and not what only one of them went
through, such as rows of resources that are gone.
"""

QUERIES = {
    "cached resources": "SELECT type, key, CAST(data AS jsonb) FROM cached_resources WHERE deleted_at IS NULL",
    "missing": "SELECT type, key FROM cached_resources WHERE missing_since IS NOT NULL",
    "links": "SELECT key, sms_media_id, acl_state, needs_full_sync, reappeared FROM videos WHERE deleted_at IS NULL",
    "items": """
        SELECT videos.key, item.title, item.description, item.type, item.duration, item.published_at,
            item.downloadable, item.language, item.copyright, item.tags, item.view_is_public, item.view_is_signed_in,
            item.view_crsids, item.view_lookup_groups, item.view_lookup_insts, channels.key AS channel
        FROM videos JOIN media_items AS item ON item.id = videos.media_item_id
        LEFT JOIN channels ON channels.media_channel_id = item.media_channel_id
        WHERE item.deleted_at IS NULL
    """,
    "channels": """
        SELECT channels.key, channel.title, channel.description, channel.edit_is_public, channel.edit_is_signed_in,
            channel.edit_crsids, channel.edit_lookup_groups, channel.edit_lookup_insts, account.lookup_instid
        FROM channels JOIN media_channels AS channel ON channel.id = channels.media_channel_id
        JOIN billing_accounts AS account ON account.id = channel.billing_account_id
        WHERE channel.deleted_at IS NULL
    """,
    "playlists": """
        SELECT channels.key, playlist.title, playlist.description,
            (SELECT array_agg(videos.key ORDER BY place)
                FROM unnest(playlist.media_item_ids) WITH ORDINALITY AS member (id, place)
                LEFT JOIN videos ON videos.media_item_id = member.id)
        FROM playlists AS playlist JOIN channels USING (media_channel_id)
        WHERE playlist.deleted_at IS NULL
    """,
    "SMS ids of items": """
        SELECT sms.id, videos.key, sms.last_updated_at FROM sms_media_items AS sms JOIN videos USING (media_item_id)
    """,
    "SMS ids of channels": """
        SELECT sms.id, channels.key, sms.last_updated_at
        FROM sms_collections AS sms JOIN channels USING (media_channel_id)
    """,
    "open problems": """
        -- The value of a problem of ownership is an id.
        SELECT stage, type, key, field, CASE WHEN stage <> 'ownership' THEN value END, problem
        FROM sync_problems WHERE resolved_at IS NULL AND stage <> 'push'
    """,
}


def differences(ours, twin):
    """Yield what differs between two connections, each of which sees its own schema."""
    for what, query in QUERIES.items():
        here, there = (sorted(map(repr, connection.execute(query).fetchall())) for connection in (ours, twin))
        if here != there:
            only_here, only_there = sorted(set(here) - set(there)), sorted(set(there) - set(here))
            yield f"the twin has other {what}: ours {only_here[:3]}, the twin's {only_there[:3]}"
