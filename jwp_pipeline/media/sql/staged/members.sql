-- The items of every live media channel, in its order and with duplicates. A channel lists them by SMS id, or else they
-- are the members that a v2 playlist itself lists. Items that were withdrawn here keep their channel and their SMS id.
CREATE TEMPORARY TABLE members ON COMMIT DROP AS
SELECT
    channels.key, channels.media_channel_id, listed.position, item.id AS media_item_id,
    item.deleted_at IS NULL AS is_live
FROM mapped_channels AS mapped
JOIN channels ON channels.key = mapped.key
JOIN media_channels AS channel ON channel.id = channels.media_channel_id AND channel.deleted_at IS NULL
CROSS JOIN LATERAL unnest(channels.media_ids) WITH ORDINALITY AS listed (id, position)
JOIN sms_media_items AS sms ON sms.id = listed.id
JOIN media_items AS item ON item.id = sms.media_item_id
UNION ALL
SELECT channels.key, channels.media_channel_id, listed.position, item.id, item.deleted_at IS NULL
FROM mapped_channels AS mapped
JOIN channels ON channels.key = mapped.key
JOIN media_channels AS channel ON channel.id = channels.media_channel_id AND channel.deleted_at IS NULL
JOIN playlist_members AS known ON known.key = channels.key
CROSS JOIN LATERAL unnest(known.member_keys) WITH ORDINALITY AS listed (key, position)
JOIN videos ON videos.key = listed.key
JOIN media_items AS item ON item.id = videos.media_item_id
WHERE channels.media_ids IS NULL
    AND (item.deleted_at IS NULL OR videos.deleted_at IS NULL AND item.deleted_at IS DISTINCT FROM videos.item_deleted_at)
