-- Videos whose content changed at JW Platform without a newer `updated`. Their items wait for the next full
-- resync.
SELECT videos.key AS what
FROM videos
WHERE videos.needs_full_sync AND videos.deleted_at IS NULL
