-- The owner of each SMS id. Among the videos that claim it, one whose item was not withdrawn here comes first, then one
-- of type `video`, and then the one with the smallest key.
CREATE TEMPORARY TABLE sms_media_claims ON COMMIT DROP AS
SELECT
    videos.sms_media_id AS id,
    videos.key,
    videos.media_item_id,
    item.deleted_at IS NOT NULL AS is_withdrawn,
    videos.sms_last_updated_at AS last_updated_at,
    row_number() OVER claims = 1 AS owns,
    first_value(videos.key) OVER claims AS owner_key
FROM videos
JOIN media_items AS item ON item.id = videos.media_item_id
WHERE videos.sms_media_id IS NOT NULL
    AND (item.deleted_at IS NULL OR videos.deleted_at IS NULL AND item.deleted_at IS DISTINCT FROM videos.item_deleted_at)
WINDOW claims AS (
    PARTITION BY videos.sms_media_id
    ORDER BY item.deleted_at IS NOT NULL, item.type <> 'video', videos.key COLLATE "C"
)
