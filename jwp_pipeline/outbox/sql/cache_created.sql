-- Adds the video that a push created to the cache, unless a listing has shown it already. The change log has it as well.
WITH cached AS (
    INSERT INTO cached_resources (type, key, data, pushed_at)
    VALUES ('video', :key, CAST(:data AS jsonb), now())
    ON CONFLICT (type, key) DO NOTHING
    RETURNING key
)
INSERT INTO resource_changes (type, key, change)
SELECT 'video', key, 'added' FROM cached
