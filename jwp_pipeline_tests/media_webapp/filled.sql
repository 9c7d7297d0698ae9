-- Fills media-webapp's tables with what its own sync would have written, from a record in schema `made` that ours has
-- synchronised by the rules of the reference. Listings stamp every cached resource and every channel.
INSERT INTO django_site VALUES (1, 'media.example.org', 'Media');
INSERT INTO mediaplatform_billingaccount
SELECT id, description, lookup_instid, created_at, created_at + interval '1 hour' FROM made.billing_accounts;
INSERT INTO mediaplatform_channel
SELECT id, billing_account_id, title, description, '', created_at, now(), deleted_at FROM made.media_channels;
INSERT INTO mediaplatform_mediaitem
SELECT
    id, media_channel_id, title, description, copyright, duration, type, published_at, downloadable, language, tags, '',
    '', created_at, updated_at, deleted_at
FROM made.media_items;
INSERT INTO mediaplatform_playlist
SELECT id, media_channel_id, title, description, media_item_ids, '', created_at, updated_at, deleted_at
FROM made.playlists;
INSERT INTO mediaplatform_permission
SELECT
    substr(md5('item' || id), 1, 11), id, NULL, NULL, NULL, view_crsids, view_lookup_groups, view_lookup_insts,
    view_is_public, view_is_signed_in
FROM made.media_items
UNION ALL
SELECT
    substr(md5('channel' || id), 1, 11), NULL, id, NULL, NULL, edit_crsids, edit_lookup_groups, edit_lookup_insts,
    edit_is_public, edit_is_signed_in
FROM made.media_channels
UNION ALL
SELECT substr(md5('playlist' || id), 1, 11), NULL, NULL, id, NULL, '{}', '{}', '{}', true, false FROM made.playlists;
INSERT INTO mediaplatform_jwp_cachedresource
SELECT key, type, data, created_at, now(), CASE WHEN deleted_at IS NOT NULL THEN now() END FROM made.cached_resources;
INSERT INTO mediaplatform_jwp_video SELECT key, updated, media_item_id, key FROM made.videos WHERE deleted_at IS NULL;
INSERT INTO mediaplatform_jwp_channel
SELECT key, updated, media_channel_id, key FROM made.channels WHERE deleted_at IS NULL;
INSERT INTO legacysms_mediaitem SELECT id, media_item_id, last_updated_at FROM made.sms_media_items;
INSERT INTO legacysms_collection SELECT id, media_channel_id, playlist_id, last_updated_at FROM made.sms_collections;
