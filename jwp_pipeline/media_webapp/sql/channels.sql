-- Adds the links of the channels.
INSERT INTO channels (key, updated, media_channel_id, deleted_at)
SELECT
    channel.key, channel.updated, channel.channel_id,
    CASE WHEN resource.type = 'channel' THEN resource.deleted_at ELSE now() END
FROM webapp_jwp_channels AS channel
JOIN webapp_resources AS resource ON resource.key = channel.key
WHERE NOT EXISTS (SELECT FROM channels AS known WHERE known.key = channel.key)
