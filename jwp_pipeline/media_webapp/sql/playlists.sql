-- Adds the playlists. The one of a channel's SMS collection follows the channel; people made the others.
INSERT INTO playlists (
    id, media_channel_id, title, description, media_item_ids, follows_channel, created_at, updated_at, deleted_at
)
SELECT
    playlist.id, playlist.channel_id, playlist.title, playlist.description, playlist.media_items,
    EXISTS (
        SELECT FROM webapp_sms_collections AS sms
        WHERE sms.playlist_id = playlist.id AND sms.channel_id = playlist.channel_id
    ),
    playlist.created_at, playlist.updated_at, playlist.deleted_at
FROM webapp_playlists AS playlist
WHERE NOT EXISTS (SELECT FROM playlists AS known WHERE known.id = playlist.id)
