UPDATE media_channels AS channel
SET deleted_at = now()
FROM channels
WHERE channels.media_channel_id = channel.id AND channels.deleted_at IS NOT NULL AND channel.deleted_at IS NULL
