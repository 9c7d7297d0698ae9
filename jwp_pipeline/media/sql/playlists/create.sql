-- Creates the playlists that are missing.
INSERT INTO playlists (id, media_channel_id, title, description, media_item_ids)
SELECT
    proposed.new_playlist_id, proposed.media_channel_id, proposed.title, proposed.description, proposed.media_item_ids
FROM proposed_playlists AS proposed
WHERE NOT EXISTS (
    SELECT FROM playlists WHERE playlists.media_channel_id = proposed.media_channel_id AND playlists.follows_channel
)
