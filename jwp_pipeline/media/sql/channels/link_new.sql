-- Adds a row for each new channel.
INSERT INTO channels (key, updated, sms_collection_id, sms_last_updated_at, wants_playlist, media_ids)
SELECT
    mapped.key, coalesce(mapped.updated, 0), mapped.sms_collection_id, mapped.sms_last_updated_at,
    coalesce(mapped.wants_playlist, false), mapped.media_ids
FROM mapped_channels AS mapped
WHERE NOT EXISTS (SELECT FROM channels WHERE channels.key = mapped.key)
