-- The record: media items, a channel, a playlist, and their links.
INSERT INTO billing_accounts (id, description, lookup_instid) VALUES ('billing0001', 'One', 'INST');
INSERT INTO media_channels (id, title, description, billing_account_id)
VALUES ('channel0001', 'A channel', '', 'billing0001');
INSERT INTO channels (key, updated, media_channel_id, sms_collection_id, media_ids)
VALUES ('c0000001', 0, 'channel0001', 7, '{1}');
INSERT INTO media_items (id, title, description, type, duration, published_at, language, copyright, tags,
    media_channel_id, view_is_public, view_crsids, created_at, updated_at, deleted_at)
VALUES ('-item000001', 'Has an ACL', 'Moving glaciers', 'video', 8.06, '2001-09-09Z', '', '', '{ice}', 'channel0001',
        false, '{abc1}', '2020-01-01Z', '2020-02-02Z', NULL),
    ('_item000002', 'Was edited', '', 'video', 8.06, '2001-09-09Z', '', '', '{}', NULL, true, '{}', now(), now(), NULL),
    ('item0000003', 'Gone', '', 'video', 1, '2001-09-09Z', '', '', '{}', NULL, true, '{}', now(), now(), now());
INSERT INTO playlists (id, media_channel_id, title, description, media_item_ids)
VALUES ('playlist001', 'channel0001', 'A channel', '', '{-item000001}');
INSERT INTO videos (key, updated, media_item_id, sms_media_id, looked_at, deleted_at)
VALUES ('v0000001', 5, '-item000001', 1, '2020-02-02Z', NULL),
    ('v0000002', 6, '_item000002', NULL, '2020-02-02Z', NULL),
    ('vgone001', 5, 'item0000003', NULL, NULL, now());
INSERT INTO sms_media_items (id, media_item_id, last_updated_at)
VALUES (1, '-item000001', '2020-01-01Z');
INSERT INTO sms_collections (id, media_channel_id, playlist_id)
VALUES (7, 'channel0001', 'playlist001');
