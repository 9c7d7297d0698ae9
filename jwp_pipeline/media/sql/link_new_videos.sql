INSERT INTO videos (key, updated)
SELECT mapped.key, coalesce(mapped.updated, 0)
FROM mapped_videos AS mapped
WHERE NOT EXISTS (SELECT FROM videos WHERE videos.key = mapped.key)
