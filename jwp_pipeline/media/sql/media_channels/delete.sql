-- Deletes the media channels of channels that are gone, and records that the sync deleted them.
WITH deleted AS (
    UPDATE media_channels AS channel
    SET deleted_at = now()
    FROM channels
    WHERE channels.media_channel_id = channel.id AND channels.deleted_at IS NOT NULL AND channel.deleted_at IS NULL
    RETURNING channel.id
)
UPDATE channels
SET media_channel_deleted_at = now()
FROM deleted
WHERE channels.media_channel_id = deleted.id
