-- Creates new items, in the channel that lists them if it is already known, because moving them there afterwards would
-- write all of them and their index entries a second time. assign.sql settles what is claimed twice.
INSERT INTO media_items (id, {fields}, media_channel_id)
SELECT proposed.item_id, {proposed.fields}, listed.media_channel_id
FROM proposed_items AS proposed
LEFT JOIN (
    SELECT DISTINCT ON (listed.id) listed.id, channels.media_channel_id
    FROM channels
    JOIN media_channels AS channel ON channel.id = channels.media_channel_id AND channel.deleted_at IS NULL
    CROSS JOIN LATERAL unnest(channels.media_ids) AS listed (id)
    WHERE :with_channels AND channels.deleted_at IS NULL
    ORDER BY listed.id, channels.key COLLATE "C"
) AS listed ON listed.id = proposed.sms_media_id
WHERE proposed.is_new
