-- An import from media-webapp leaves what it did not take over, and a channel's second playlist.
INSERT INTO media_webapp_rows (source_table, id, reason, data)
VALUES ('mediaplatform_permission', '17', 'view permission of a playlist', '{"id": 17, "is_public": true}');
INSERT INTO playlists (id, media_channel_id, title, description, media_item_ids, follows_channel)
VALUES ('playlist002', 'channel0001', 'Another', '', '{}', false);
