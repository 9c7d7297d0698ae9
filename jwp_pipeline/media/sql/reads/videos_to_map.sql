-- The videos to read, with the stored values that decide about the permission of each. The present permission is
-- included only if some items may not be due.
SELECT
    cached.key, cached.data, cached.updated_at, videos.acl_state, coalesce(videos.had_acl, false) AS had_acl,
    videos.sms_media_id, item.id IS NOT NULL AS has_item, {item.view}
FROM videos_to_read
JOIN cached_resources AS cached ON cached.type = 'video' AND cached.key = videos_to_read.key
LEFT JOIN videos ON videos.key = cached.key
LEFT JOIN media_items AS item ON :with_permissions AND item.id = videos.media_item_id
