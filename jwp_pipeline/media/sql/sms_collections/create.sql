-- Adds the SMS collections that are new.
INSERT INTO sms_collections (id, media_channel_id, playlist_id, last_updated_at)
SELECT claim.id, claim.media_channel_id, playlist.id, claim.last_updated_at
FROM sms_collection_claims AS claim
LEFT JOIN playlists AS playlist
    ON playlist.media_channel_id = claim.media_channel_id AND playlist.follows_channel
        AND playlist.deleted_at IS NULL
WHERE claim.owns AND NOT EXISTS (SELECT FROM sms_collections AS sms WHERE sms.id = claim.id)
