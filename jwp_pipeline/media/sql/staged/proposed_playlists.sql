-- The playlist that each live media channel should have. In `sms` mode, only a channel that owns an SMS collection has
-- one. The members are put together first: the planner may expect a single channel, and would do it again for each.
CREATE TEMPORARY TABLE proposed_playlists ON COMMIT DROP AS
WITH listed AS MATERIALIZED (
    SELECT key, array_agg(media_item_id ORDER BY position) AS media_item_ids FROM members WHERE is_live GROUP BY key
)
SELECT
    channel.id AS media_channel_id,
    mapped.new_playlist_id,
    channel.title,
    channel.description,
    coalesce(listed.media_item_ids, '{}') AS media_item_ids
FROM mapped_channels AS mapped
JOIN channels ON channels.key = mapped.key
JOIN media_channels AS channel ON channel.id = channels.media_channel_id AND channel.deleted_at IS NULL
LEFT JOIN listed ON listed.key = channels.key
LEFT JOIN sms_collection_claims AS claim ON claim.key = channels.key
WHERE channels.wants_playlist AND (:create_all OR claim.owns)
