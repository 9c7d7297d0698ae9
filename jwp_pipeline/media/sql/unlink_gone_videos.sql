UPDATE videos
SET deleted_at = now()
WHERE deleted_at IS NULL
    AND NOT EXISTS (
        SELECT FROM cached_resources AS cached
        WHERE cached.type = 'video' AND cached.key = videos.key AND cached.deleted_at IS NULL
    )
