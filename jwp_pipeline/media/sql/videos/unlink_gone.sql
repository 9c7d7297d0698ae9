-- Marks the links of videos that are gone. Those are found apart from the update: of a table that an update joins,
-- PostgreSQL reads every row with all its data, where here an index tells.
UPDATE videos
SET deleted_at = now()
FROM (
    SELECT key FROM videos WHERE deleted_at IS NULL
    EXCEPT
    SELECT key FROM cached_resources WHERE type = 'video' AND deleted_at IS NULL
) AS gone
WHERE videos.key = gone.key
