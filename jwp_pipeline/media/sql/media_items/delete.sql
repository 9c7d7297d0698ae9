-- Deletes the items of videos that are gone, and records that the sync deleted them. Texts and permissions stay.
WITH deleted AS (
    UPDATE media_items AS item
    SET deleted_at = now()
    FROM videos
    WHERE videos.media_item_id = item.id AND videos.deleted_at IS NOT NULL AND item.deleted_at IS NULL
    RETURNING item.id
)
UPDATE videos
SET item_deleted_at = now()
FROM deleted
WHERE videos.media_item_id = deleted.id
