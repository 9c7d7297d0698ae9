-- Edits in conflict, with what the cache has of their videos.
SELECT stuck.media_item_id AS item_id, stuck.field, stuck.edit_number AS number, stuck.ours, videos.key, cached.data
FROM item_updates AS stuck
JOIN media_items AS item ON item.id = stuck.media_item_id AND item.deleted_at IS NULL
JOIN videos ON videos.media_item_id = stuck.media_item_id AND videos.deleted_at IS NULL
JOIN cached_resources AS cached ON cached.type = 'video' AND cached.key = videos.key
WHERE stuck.state <> 'pushed' AND stuck.state = 'conflict'
