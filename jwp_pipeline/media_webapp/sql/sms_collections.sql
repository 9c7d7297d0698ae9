-- Adds the SMS ids of channels.
INSERT INTO sms_collections (id, media_channel_id, playlist_id, last_updated_at)
SELECT id, channel_id, playlist_id, last_updated_at
FROM webapp_sms_collections AS sms
WHERE channel_id IS NOT NULL AND NOT EXISTS (SELECT FROM sms_collections AS known WHERE known.id = sms.id)
