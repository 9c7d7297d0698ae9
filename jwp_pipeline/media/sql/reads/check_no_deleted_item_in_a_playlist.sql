-- Entries of live playlists that are not live items.
SELECT playlist.id || ' shows ' || listed.item_id AS what
FROM playlists AS playlist
CROSS JOIN LATERAL unnest(playlist.media_item_ids) AS listed (item_id)
LEFT JOIN media_items AS item ON item.id = listed.item_id AND item.deleted_at IS NULL
WHERE playlist.deleted_at IS NULL AND item.id IS NULL
