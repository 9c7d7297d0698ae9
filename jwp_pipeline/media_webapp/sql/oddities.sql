-- What is unusual in the copies and is imported all the same: the name of each kind, how often, and the first ids.
SELECT kind, count(*) AS found, (array_agg(id ORDER BY id))[1:5] AS examples
FROM (
    SELECT 'item without permission' AS kind, id FROM webapp_items AS item
    WHERE NOT EXISTS (SELECT FROM webapp_grants AS granted WHERE granted.kind = 'item' AND granted.subject = item.id)
    UNION ALL
    SELECT 'channel without permission', id FROM webapp_channels AS channel
    WHERE NOT EXISTS (
        SELECT FROM webapp_grants AS granted WHERE granted.kind = 'channel' AND granted.subject = channel.id
    )
    UNION ALL
    SELECT 'several permissions', subject FROM webapp_grants
    WHERE kind IN ('item', 'channel') AND rows_found > 1 AND agree
    UNION ALL
    SELECT 'contradicting permissions', subject FROM webapp_grants
    WHERE kind IN ('item', 'channel') AND NOT agree
    UNION ALL
    SELECT 'empty name', subject FROM webapp_grants
    WHERE kind IN ('item', 'channel') AND '' = ANY (crsids || lookup_groups || lookup_insts)
    UNION ALL
    SELECT 'live item without video', id FROM webapp_items AS item
    WHERE deleted_at IS NULL AND NOT EXISTS (SELECT FROM webapp_videos AS video WHERE video.item_id = item.id)
    UNION ALL
    SELECT 'live item of a video that is gone', item.id
    FROM webapp_items AS item
    JOIN webapp_videos AS video ON video.item_id = item.id
    JOIN webapp_resources AS resource ON resource.key = video.key
    WHERE item.deleted_at IS NULL AND (resource.deleted_at IS NOT NULL OR resource.type NOT IN ('video', ''))
    UNION ALL
    SELECT 'withdrawn item', item.id
    FROM webapp_items AS item
    JOIN webapp_videos AS video ON video.item_id = item.id
    JOIN webapp_resources AS resource ON resource.key = video.key AND resource.deleted_at IS NULL
    WHERE item.deleted_at IS NOT NULL
    UNION ALL
    SELECT 'withdrawn channel', channel.id
    FROM webapp_channels AS channel
    JOIN webapp_jwp_channels AS jwp ON jwp.channel_id = channel.id
    JOIN webapp_resources AS resource ON resource.key = jwp.key AND resource.deleted_at IS NULL
    WHERE channel.deleted_at IS NOT NULL
    UNION ALL
    SELECT 'item of a deleted channel', item.id
    FROM webapp_items AS item
    JOIN webapp_channels AS channel ON channel.id = item.channel_id
    WHERE item.deleted_at IS NULL AND channel.deleted_at IS NOT NULL
    UNION ALL
    SELECT 'resource that no sync has followed', key FROM webapp_resources AS resource
    WHERE deleted_at IS NULL
        AND type IN ('video', 'channel', '')
        AND NOT EXISTS (SELECT FROM webapp_videos AS video WHERE video.key = resource.key)
        AND NOT EXISTS (SELECT FROM webapp_jwp_channels AS channel WHERE channel.key = resource.key)
    UNION ALL
    SELECT 'video that no listing has shown', key FROM webapp_resources WHERE type = '' AND deleted_at IS NULL
    UNION ALL
    SELECT 'playlist that is not public', playlist.id FROM webapp_playlists AS playlist
    WHERE playlist.deleted_at IS NULL
        AND NOT EXISTS (
            SELECT FROM webapp_permissions AS permission
            WHERE permission.allows_view_playlist_id = playlist.id AND permission.is_public
        )
    UNION ALL
    SELECT 'playlist with missing items', playlist.id FROM webapp_playlists AS playlist
    WHERE playlist.deleted_at IS NULL
        AND EXISTS (
            SELECT FROM unnest(playlist.media_items) AS listed (id)
            LEFT JOIN webapp_items AS item ON item.id = listed.id AND item.deleted_at IS NULL
            WHERE item.id IS NULL
        )
    UNION ALL
    SELECT 'channel with several playlists', channel_id FROM webapp_playlists
    WHERE deleted_at IS NULL GROUP BY channel_id HAVING count(*) > 1
    UNION ALL
    SELECT 'institution with several accounts', coalesce(nullif(lookup_instid, ''), '(none)') FROM webapp_accounts
    GROUP BY lookup_instid HAVING count(*) > 1
) AS odd
GROUP BY kind
ORDER BY kind
