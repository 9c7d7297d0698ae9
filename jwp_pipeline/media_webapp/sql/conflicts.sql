-- Rows of the record that have the key of a row to import, but are about something else or say something else.
SELECT kind, count(*) AS found, (array_agg(id ORDER BY id))[1:5] AS examples
FROM (
    SELECT 'billing_accounts' AS kind, known.id
    FROM billing_accounts AS known JOIN webapp_accounts AS there USING (id)
    WHERE (known.description, known.lookup_instid, known.created_at)
        IS DISTINCT FROM (there.description, there.lookup_instid, there.created_at)
    UNION ALL
    SELECT 'media_channels', known.id
    FROM media_channels AS known JOIN webapp_channels AS there USING (id)
    LEFT JOIN webapp_grants AS granted ON granted.kind = 'channel' AND granted.subject = there.id
    WHERE (
            known.title, known.description, known.billing_account_id, known.created_at, known.deleted_at,
            known.edit_is_public, known.edit_is_signed_in, known.edit_crsids, known.edit_lookup_groups,
            known.edit_lookup_insts
        ) IS DISTINCT FROM (
            there.title, there.description, there.billing_account_id, there.created_at, there.deleted_at,
            coalesce(granted.is_public, false), coalesce(granted.is_signed_in, false), coalesce(granted.crsids, '{}'),
            coalesce(granted.lookup_groups, '{}'), coalesce(granted.lookup_insts, '{}')
        )
    UNION ALL
    SELECT 'media_items', known.id
    FROM media_items AS known JOIN webapp_items AS there USING (id)
    LEFT JOIN webapp_grants AS granted ON granted.kind = 'item' AND granted.subject = there.id
    WHERE (
            known.title, known.description, known.type, known.duration, known.published_at, known.downloadable,
            known.language, known.copyright, known.tags, known.media_channel_id, known.created_at, known.deleted_at,
            known.view_is_public, known.view_is_signed_in, known.view_crsids, known.view_lookup_groups,
            known.view_lookup_insts
        ) IS DISTINCT FROM (
            there.title, there.description, there.type, there.duration, there.published_at, there.downloadable,
            there.language, there.copyright, there.tags, there.channel_id, there.created_at, there.deleted_at,
            coalesce(granted.is_public, false), coalesce(granted.is_signed_in, false), coalesce(granted.crsids, '{}'),
            coalesce(granted.lookup_groups, '{}'), coalesce(granted.lookup_insts, '{}')
        )
    UNION ALL
    SELECT 'playlists', known.id
    FROM playlists AS known JOIN webapp_playlists AS there USING (id)
    WHERE (
            known.media_channel_id, known.title, known.description, known.media_item_ids, known.created_at,
            known.deleted_at
        ) IS DISTINCT FROM (
            there.channel_id, there.title, there.description, there.media_items, there.created_at, there.deleted_at
        )
    UNION ALL
    SELECT 'playlists', known.id
    FROM playlists AS known
    JOIN webapp_sms_collections AS there ON there.channel_id = known.media_channel_id
    WHERE known.follows_channel AND known.id <> there.playlist_id
    UNION ALL
    SELECT 'cached_resources', known.type || ' ' || known.key
    FROM cached_resources AS known
    JOIN webapp_resources AS there
        ON there.key = known.key AND known.type = CASE WHEN there.type = '' THEN 'video' ELSE there.type END
    WHERE known.data <> there.data
        OR known.created_at <> there.created_at
        OR (known.deleted_at IS NULL) <> (there.deleted_at IS NULL)
    UNION ALL
    SELECT 'videos', known.key
    FROM videos AS known JOIN webapp_videos AS there ON there.key = known.key OR there.item_id = known.media_item_id
    WHERE (known.key, known.media_item_id) IS DISTINCT FROM (there.key, there.item_id)
    UNION ALL
    SELECT 'channels', known.key
    FROM channels AS known
    JOIN webapp_jwp_channels AS there ON there.key = known.key OR there.channel_id = known.media_channel_id
    WHERE (known.key, known.media_channel_id) IS DISTINCT FROM (there.key, there.channel_id)
    UNION ALL
    SELECT 'sms_media_items', known.id::text
    FROM sms_media_items AS known JOIN webapp_sms_items AS there USING (id)
    WHERE there.item_id IS NOT NULL AND known.media_item_id <> there.item_id
    UNION ALL
    SELECT 'sms_collections', known.id::text
    FROM sms_collections AS known JOIN webapp_sms_collections AS there USING (id)
    WHERE there.channel_id IS NOT NULL AND known.media_channel_id <> there.channel_id
) AS conflict
GROUP BY kind
ORDER BY kind
