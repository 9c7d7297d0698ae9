-- Entries of live playlists that are not live items. Playlists that no sync writes may hold anything.
SELECT playlist.id || ' shows ' || listed.item_id AS what
FROM playlists AS playlist
CROSS JOIN LATERAL unnest(playlist.media_item_ids) AS listed (item_id)
LEFT JOIN media_items AS item ON item.id = listed.item_id AND item.deleted_at IS NULL
WHERE playlist.deleted_at IS NULL AND playlist.follows_channel AND item.id IS NULL
