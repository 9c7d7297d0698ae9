-- Rows of the copies that refer to a row that is not there, which the foreign keys of media-webapp exclude.
SELECT what, count(*) AS found, min(id) AS example
FROM (
    SELECT 'mediaplatform_channel.billing_account_id' AS what, id FROM webapp_channels AS row
    WHERE NOT EXISTS (SELECT FROM webapp_accounts AS there WHERE there.id = row.billing_account_id)
    UNION ALL
    SELECT 'mediaplatform_mediaitem.channel_id', id FROM webapp_items AS row
    WHERE channel_id IS NOT NULL AND NOT EXISTS (SELECT FROM webapp_channels AS there WHERE there.id = row.channel_id)
    UNION ALL
    SELECT 'mediaplatform_playlist.channel_id', id FROM webapp_playlists AS row
    WHERE NOT EXISTS (SELECT FROM webapp_channels AS there WHERE there.id = row.channel_id)
    UNION ALL
    SELECT 'mediaplatform_uploadendpoint.item_id', id FROM webapp_endpoints AS row
    WHERE NOT EXISTS (SELECT FROM webapp_items AS there WHERE there.id = row.item_id)
    UNION ALL
    SELECT 'mediaplatform_jwp_video.item_id', key FROM webapp_videos AS row
    WHERE item_id IS NOT NULL AND NOT EXISTS (SELECT FROM webapp_items AS there WHERE there.id = row.item_id)
    UNION ALL
    SELECT 'mediaplatform_jwp_video.resource_id', key FROM webapp_videos AS row
    WHERE NOT EXISTS (SELECT FROM webapp_resources AS there WHERE there.key = row.resource_id AND row.key = row.resource_id)
    UNION ALL
    SELECT 'mediaplatform_jwp_channel.channel_id', key FROM webapp_jwp_channels AS row
    WHERE channel_id IS NOT NULL AND NOT EXISTS (SELECT FROM webapp_channels AS there WHERE there.id = row.channel_id)
    UNION ALL
    SELECT 'mediaplatform_jwp_channel.resource_id', key FROM webapp_jwp_channels AS row
    WHERE NOT EXISTS (SELECT FROM webapp_resources AS there WHERE there.key = row.resource_id AND row.key = row.resource_id)
    UNION ALL
    SELECT 'legacysms_mediaitem.item_id', id::text FROM webapp_sms_items AS row
    WHERE item_id IS NOT NULL AND NOT EXISTS (SELECT FROM webapp_items AS there WHERE there.id = row.item_id)
    UNION ALL
    SELECT 'legacysms_collection.channel_id', id::text FROM webapp_sms_collections AS row
    WHERE channel_id IS NOT NULL AND NOT EXISTS (SELECT FROM webapp_channels AS there WHERE there.id = row.channel_id)
    UNION ALL
    SELECT 'legacysms_collection.playlist_id', id::text FROM webapp_sms_collections AS row
    WHERE playlist_id IS NOT NULL
        AND NOT EXISTS (SELECT FROM webapp_playlists AS there WHERE there.id = row.playlist_id)
    UNION ALL
    SELECT 'mediaplatform_jwp_video.item_id, which two videos name', min(key) FROM webapp_videos
    WHERE item_id IS NOT NULL GROUP BY item_id HAVING count(*) > 1
    UNION ALL
    SELECT 'mediaplatform_jwp_channel.channel_id, which two channels name', min(key) FROM webapp_jwp_channels
    WHERE channel_id IS NOT NULL GROUP BY channel_id HAVING count(*) > 1
    UNION ALL
    SELECT 'mediaplatform_uploadendpoint.item_id, which two links name', min(id) FROM webapp_endpoints
    GROUP BY item_id HAVING count(*) > 1
) AS dangling
GROUP BY what
ORDER BY what
