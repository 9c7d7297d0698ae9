INSERT INTO channels (
    key, updated, sms_collection_id, sms_last_updated_at, wants_playlist, media_ids, member_keys, members_at
)
SELECT
    mapped.key, coalesce(mapped.updated, 0), mapped.sms_collection_id, mapped.sms_last_updated_at,
    coalesce(mapped.wants_playlist, false), mapped.media_ids, mapped.member_keys, mapped.members_at
FROM mapped_channels AS mapped
WHERE NOT EXISTS (SELECT FROM channels WHERE channels.key = mapped.key)
