-- The stamp starts anew from the listed value; where there is an item, when that is restored.
UPDATE videos
SET deleted_at = NULL,
    updated = CASE WHEN videos.media_item_id IS NULL THEN coalesce(mapped.updated, videos.updated) ELSE videos.updated END
FROM mapped_videos AS mapped
WHERE videos.key = mapped.key AND videos.deleted_at IS NOT NULL
