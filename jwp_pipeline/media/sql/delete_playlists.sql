UPDATE playlists AS playlist
SET deleted_at = now()
WHERE deleted_at IS NULL
    AND NOT EXISTS (
        SELECT FROM proposed_playlists AS proposed WHERE proposed.media_channel_id = playlist.media_channel_id
    )
