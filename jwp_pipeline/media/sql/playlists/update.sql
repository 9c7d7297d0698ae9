-- Brings the playlists that should exist in step, except those that were withdrawn here.
UPDATE playlists AS playlist
SET title = proposed.title,
    description = proposed.description,
    media_item_ids = proposed.media_item_ids,
    updated_at = now(),
    deleted_at = NULL
FROM proposed_playlists AS proposed
JOIN channels ON channels.media_channel_id = proposed.media_channel_id
WHERE playlist.media_channel_id = proposed.media_channel_id
    AND playlist.follows_channel
    AND (
        playlist.deleted_at = channels.playlist_deleted_at
        OR playlist.deleted_at IS NULL AND (playlist.title, playlist.description, playlist.media_item_ids)
            IS DISTINCT FROM (proposed.title, proposed.description, proposed.media_item_ids)
    )
