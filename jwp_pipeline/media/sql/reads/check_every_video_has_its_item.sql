-- Live cached videos that lack the live item they should have, and live items whose video is gone. An item that was
-- withdrawn here does not count as lacking.
SELECT cached.key AS what
FROM cached_resources AS cached
LEFT JOIN videos ON videos.key = cached.key AND videos.deleted_at IS NULL
LEFT JOIN media_items AS item ON item.id = videos.media_item_id
WHERE cached.type = 'video'
    AND cached.deleted_at IS NULL
    AND (
        videos.key IS NULL
        OR item.deleted_at = videos.item_deleted_at
        OR (item.id IS NULL AND (:create_all OR videos.wants_item))
    )
UNION ALL
SELECT 'item ' || item.id
FROM media_items AS item
JOIN videos ON videos.media_item_id = item.id
WHERE item.deleted_at IS NULL
    AND NOT EXISTS (
        SELECT FROM cached_resources AS cached
        WHERE cached.type = 'video' AND cached.key = videos.key AND cached.deleted_at IS NULL
    )
