-- Adds a row for each new video.
INSERT INTO videos (key, updated, wants_item)
SELECT mapped.key, coalesce(mapped.updated, 0), mapped.wants_item
FROM mapped_videos AS mapped
WHERE NOT EXISTS (SELECT FROM videos WHERE videos.key = mapped.key)
