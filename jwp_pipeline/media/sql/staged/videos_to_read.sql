-- Live cached videos that a sync has to read: new, returned, changed since they were last read, or all; and under
-- strict ACLs those whose item's permission is no longer the one that the last sync left. Their data is left for the
-- next statement, so that indexes answer this one.
CREATE TEMPORARY TABLE videos_to_read ON COMMIT DROP AS
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
        OR videos.mapped_version IS DISTINCT FROM cached.updated_at
        OR videos.acl_state IS NULL
        OR item.deleted_at = videos.item_deleted_at
        OR (videos.media_item_id IS NULL AND (:create_all OR videos.wants_item))
        OR (
            :strict_acls
            AND item.id IS NOT NULL
            AND videos.view_digest IS DISTINCT FROM hash_record_extended(ROW ({item.view}), 0)
        )
    )
