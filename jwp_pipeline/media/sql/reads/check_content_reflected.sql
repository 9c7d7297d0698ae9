-- Items whose content changed at JW Platform without a newer `updated`: the next sync of all follows.
SELECT videos.key AS what
FROM videos
WHERE videos.needs_full_sync AND videos.deleted_at IS NULL
