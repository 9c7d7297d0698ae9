-- The videos to read, with the stored values that decide about the permission of each, and the fields that were edited
-- here. The present permission is included only if some items may not be due, or if it was edited.
SELECT
    cached.key, cached.data, cached.updated_at, videos.acl_state, coalesce(videos.had_acl, false) AS had_acl,
    videos.sms_media_id, item.id IS NOT NULL AS has_item, {item.view},
    CASE WHEN NOT videos.reappeared AND videos.deleted_at IS NULL THEN videos.pushed_updated END AS pushed_updated,
    videos.pushed_at, coalesce(videos.awaits_listing, false) AS awaits_listing,
    (SELECT max(started_at) FROM raw_snapshots WHERE resource_type = 'video' AND applied_at IS NOT NULL) AS read_at,
    edited.waiting, edited.undecided
FROM videos_to_read
JOIN cached_resources AS cached ON cached.type = 'video' AND cached.key = videos_to_read.key
LEFT JOIN videos ON videos.key = cached.key
LEFT JOIN (
    SELECT
        media_item_id,
        array_agg(field) FILTER (WHERE state = 'waiting') AS waiting,
        array_agg(field) FILTER (WHERE state IN ('conflict', 'refused')) AS undecided
    FROM known_edits
    GROUP BY media_item_id
) AS edited ON edited.media_item_id = videos.media_item_id
LEFT JOIN media_items AS item
    ON (:with_permissions OR edited.undecided IS NOT NULL) AND item.id = videos.media_item_id
