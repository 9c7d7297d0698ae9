-- Items that belong to a deleted media channel.
SELECT item.id || ' of channel ' || channel.id AS what
FROM media_items AS item
JOIN media_channels AS channel ON channel.id = item.media_channel_id
WHERE channel.deleted_at IS NOT NULL
