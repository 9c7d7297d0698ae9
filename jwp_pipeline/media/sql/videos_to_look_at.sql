-- Live cached videos that a sync has to read: new, returned, changed since they were last looked at, or all. Their data
-- is left for the next statement, so that an index answers this one.
CREATE TEMPORARY TABLE videos_to_look_at ON COMMIT DROP AS
SELECT cached.key
FROM cached_resources AS cached
LEFT JOIN videos ON videos.key = cached.key
LEFT JOIN media_items AS item ON item.id = videos.media_item_id
WHERE cached.type = 'video'
    AND cached.deleted_at IS NULL
    AND (
        :sync_all
        OR videos.key IS NULL
        OR videos.deleted_at IS NOT NULL
        OR videos.looked_at IS DISTINCT FROM cached.updated_at
        OR item.deleted_at IS NOT NULL
        OR (videos.media_item_id IS NULL AND (:create_all OR videos.wants_item))
    )
