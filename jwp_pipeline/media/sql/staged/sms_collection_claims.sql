-- The owner of each SMS collection, which is the channel with the smallest key among the live ones that claim it.
CREATE TEMPORARY TABLE sms_collection_claims ON COMMIT DROP AS
SELECT
    channels.sms_collection_id AS id,
    channels.key,
    channels.media_channel_id,
    channels.sms_last_updated_at AS last_updated_at,
    row_number() OVER claims = 1 AS owns,
    first_value(channels.key) OVER claims AS owner_key
FROM channels
JOIN media_channels AS channel ON channel.id = channels.media_channel_id
WHERE channels.sms_collection_id IS NOT NULL AND channels.deleted_at IS NULL AND channel.deleted_at IS NULL
WINDOW claims AS (PARTITION BY channels.sms_collection_id ORDER BY channels.key COLLATE "C")
