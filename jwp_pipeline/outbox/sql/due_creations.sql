-- New items whose video has to be made, in the order in which they were made. `linked_key` is the key of a video that a
-- sync has linked to the item meanwhile.
SELECT
    creation.media_item_id AS item_id, creation.key, creation.source_url, creation.mime_type, creation.asked_at,
    creation.searched_at, creation.sent, creation.tries,
    coalesce(creation.searched_at < clock_timestamp() - interval '150 seconds', false) AS searched_long_ago,
    videos.key AS linked_key,
    pushed_fields(item) AS present
FROM item_creations AS creation
JOIN media_items AS item ON item.id = creation.media_item_id AND item.deleted_at IS NULL
LEFT JOIN videos ON videos.media_item_id = item.id
WHERE creation.state <> 'created' AND creation.state = 'waiting'
    AND (:early OR coalesce(creation.next_try_at <= clock_timestamp(), true))
ORDER BY creation.requested_at, creation.media_item_id
