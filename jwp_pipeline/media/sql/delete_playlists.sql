-- Playlists of channels that are gone, or should have none. Those of the platform's own channels are its own matter.
UPDATE playlists AS playlist
SET deleted_at = now()
WHERE deleted_at IS NULL
    AND EXISTS (SELECT FROM channels WHERE channels.media_channel_id = playlist.media_channel_id)
    AND NOT EXISTS (
        SELECT FROM proposed_playlists AS proposed WHERE proposed.media_channel_id = playlist.media_channel_id
    )
