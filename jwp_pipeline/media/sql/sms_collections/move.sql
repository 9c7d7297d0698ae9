-- Updates the SMS collections to their present owners.
UPDATE sms_collections AS sms
SET media_channel_id = claim.media_channel_id, playlist_id = playlist.id, last_updated_at = claim.last_updated_at
FROM sms_collection_claims AS claim
LEFT JOIN playlists AS playlist
    ON playlist.media_channel_id = claim.media_channel_id AND playlist.follows_channel
        AND playlist.deleted_at IS NULL
WHERE claim.owns
    AND claim.id = sms.id
    AND (sms.media_channel_id, sms.playlist_id, sms.last_updated_at)
        IS DISTINCT FROM (claim.media_channel_id, playlist.id, claim.last_updated_at)
