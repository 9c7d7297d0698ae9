-- Deletes the playlists of channels that are gone or should have none, and records that the sync deleted them. The
-- playlists of the platform's own channels stay.
WITH deleted AS (
    UPDATE playlists AS playlist
    SET deleted_at = now()
    WHERE deleted_at IS NULL
        AND follows_channel
        AND EXISTS (SELECT FROM channels WHERE channels.media_channel_id = playlist.media_channel_id)
        AND NOT EXISTS (
            SELECT FROM proposed_playlists AS proposed WHERE proposed.media_channel_id = playlist.media_channel_id
        )
    RETURNING playlist.media_channel_id
)
UPDATE channels
SET playlist_deleted_at = now()
FROM deleted
WHERE channels.media_channel_id = deleted.media_channel_id
