-- The live items of every live channel, in its order, repeats kept: by SMS id, or a v2 playlist's own members.
CREATE TEMPORARY TABLE members ON COMMIT DROP AS
SELECT channels.key, channels.media_channel_id, listed.position, sms.media_item_id
FROM channels
CROSS JOIN LATERAL unnest(channels.media_ids) WITH ORDINALITY AS listed (id, position)
JOIN sms_media_items AS sms ON sms.id = listed.id
WHERE channels.deleted_at IS NULL
UNION ALL
SELECT channels.key, channels.media_channel_id, listed.position, item.id
FROM channels
CROSS JOIN LATERAL unnest(channels.member_keys) WITH ORDINALITY AS listed (key, position)
JOIN videos ON videos.key = listed.key
JOIN media_items AS item ON item.id = videos.media_item_id AND item.deleted_at IS NULL
WHERE channels.deleted_at IS NULL AND channels.media_ids IS NULL
