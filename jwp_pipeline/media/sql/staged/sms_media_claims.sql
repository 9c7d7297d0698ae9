-- The owner of each SMS id. Among the videos with a live item that claim it, one of type `video` comes first, and then
-- the one with the smallest key.
CREATE TEMPORARY TABLE sms_media_claims ON COMMIT DROP AS
SELECT
    videos.sms_media_id AS id,
    videos.key,
    videos.media_item_id,
    videos.sms_last_updated_at AS last_updated_at,
    row_number() OVER claims = 1 AS owns,
    first_value(videos.key) OVER claims AS owner_key
FROM videos
JOIN media_items AS item ON item.id = videos.media_item_id
WHERE videos.sms_media_id IS NOT NULL AND item.deleted_at IS NULL
WINDOW claims AS (PARTITION BY videos.sms_media_id ORDER BY item.type <> 'video', videos.key COLLATE "C")
