-- Stores what the link of each live channel must remember. Values that cannot be read stay as they were.
UPDATE channels
SET updated = listed.updated,
    sms_collection_id = listed.sms_collection_id,
    sms_last_updated_at = listed.sms_last_updated_at,
    wants_playlist = listed.wants_playlist,
    media_ids = listed.media_ids,
    deleted_at = NULL
FROM (
    SELECT
        mapped.key,
        coalesce(mapped.updated, known.updated) AS updated,
        CASE WHEN mapped.keeps_sms_collection_id THEN known.sms_collection_id ELSE mapped.sms_collection_id END
            AS sms_collection_id,
        CASE WHEN mapped.keeps_sms_last_updated_at THEN known.sms_last_updated_at ELSE mapped.sms_last_updated_at END
            AS sms_last_updated_at,
        coalesce(mapped.wants_playlist, known.wants_playlist) AS wants_playlist,
        CASE WHEN mapped.keeps_media_ids THEN known.media_ids ELSE mapped.media_ids END AS media_ids
    FROM mapped_channels AS mapped
    JOIN channels AS known ON known.key = mapped.key
) AS listed
WHERE channels.key = listed.key
    AND (
        channels.deleted_at IS NOT NULL
        OR (
            channels.updated, channels.sms_collection_id, channels.sms_last_updated_at, channels.wants_playlist,
            channels.media_ids
        ) IS DISTINCT FROM (
            listed.updated, listed.sms_collection_id, listed.sms_last_updated_at, listed.wants_playlist,
            listed.media_ids
        )
    )
