-- Items of videos that are gone. Texts and permissions stay.
UPDATE media_items AS item
SET deleted_at = now()
FROM videos
WHERE videos.media_item_id = item.id AND videos.deleted_at IS NOT NULL AND item.deleted_at IS NULL
