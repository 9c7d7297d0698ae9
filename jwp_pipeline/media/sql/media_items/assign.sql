-- Puts each item into the channel that lists it, or into the one with the smallest key if several do. `updated_at` does
-- not move. Items that the platform itself put into a channel stay there: an item without a video while the channel is
-- live, and an item with a video in a channel of the platform's own while no channel of JW Platform lists it.
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
        AND (
            owner.media_channel_id IS NOT NULL
            OR EXISTS (
                SELECT FROM channels
                JOIN media_channels AS channel ON channel.id = channels.media_channel_id
                WHERE channel.id = item.media_channel_id
                    AND (
                        channel.deleted_at IS NOT NULL
                        OR EXISTS (SELECT FROM videos WHERE videos.media_item_id = item.id)
                    )
            )
        )
) AS settled
WHERE item.id = settled.id
