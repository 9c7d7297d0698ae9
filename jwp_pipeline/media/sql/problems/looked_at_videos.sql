-- Selects the videos whose problems this sync may resolve: those that it read, and those that are gone.
INSERT INTO looked_at (key)
SELECT key FROM mapped_videos
UNION
SELECT problem.key
FROM sync_problems AS problem
WHERE problem.stage = 'mapping' AND problem.type = 'video' AND problem.resolved_at IS NULL
    AND NOT EXISTS (
        SELECT FROM cached_resources AS cached
        WHERE cached.type = 'video' AND cached.key = problem.key AND cached.deleted_at IS NULL
    )
