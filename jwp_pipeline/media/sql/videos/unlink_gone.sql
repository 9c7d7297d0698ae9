-- Marks the links of videos that are gone as deleted. A subquery finds them, because PostgreSQL would read every row of
-- a table that the update itself joins, with all its data, while the subquery needs only an index.
UPDATE videos
SET deleted_at = now()
FROM (
    SELECT key FROM videos WHERE deleted_at IS NULL
    EXCEPT
    SELECT key FROM cached_resources WHERE type = 'video' AND deleted_at IS NULL
) AS gone
WHERE videos.key = gone.key
