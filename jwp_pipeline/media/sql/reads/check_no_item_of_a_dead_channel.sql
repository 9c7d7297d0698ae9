-- Live items that belong to a deleted media channel of JW Platform. A deleted item keeps its channel, and what becomes of
-- the platform's own channels is not for a sync to decide.
SELECT item.id || ' of channel ' || channel.id AS what
FROM media_items AS item
JOIN media_channels AS channel ON channel.id = item.media_channel_id
WHERE channel.deleted_at IS NOT NULL
    AND item.deleted_at IS NULL
    AND EXISTS (SELECT FROM channels WHERE channels.media_channel_id = channel.id)
