-- The playlist that each live media channel should have. In `sms` mode, only a channel that owns an SMS collection has
-- one.
CREATE TEMPORARY TABLE proposed_playlists ON COMMIT DROP AS
SELECT
    channel.id AS media_channel_id,
    mapped.new_playlist_id,
    channel.title,
    channel.description,
    coalesce(listed.media_item_ids, '{}') AS media_item_ids
FROM mapped_channels AS mapped
JOIN channels ON channels.key = mapped.key
JOIN media_channels AS channel ON channel.id = channels.media_channel_id AND channel.deleted_at IS NULL
LEFT JOIN (
    SELECT key, array_agg(media_item_id ORDER BY position) AS media_item_ids FROM members GROUP BY key
) AS listed ON listed.key = channels.key
LEFT JOIN sms_collection_claims AS claim ON claim.key = channels.key
WHERE channels.wants_playlist AND (:create_all OR claim.owns)
