-- An item listed by several channels belongs to the one with the smallest key. Its updated_at does not move for it.
UPDATE media_items AS item
SET media_channel_id = settled.media_channel_id
FROM (
    SELECT item.id, owner.media_channel_id
    FROM media_items AS item
    LEFT JOIN (
        SELECT DISTINCT ON (media_item_id) media_item_id, media_channel_id
        FROM members
        ORDER BY media_item_id, key COLLATE "C"
    ) AS owner ON owner.media_item_id = item.id
    WHERE item.media_channel_id IS DISTINCT FROM owner.media_channel_id
) AS settled
WHERE item.id = settled.id
