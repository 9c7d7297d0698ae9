-- Adds the cached resources. A video that the application made has no type until a listing shows it.
INSERT INTO cached_resources (type, key, data, created_at, updated_at, deleted_at, pushed_at)
SELECT
    typed.type, resource.key, resource.data, resource.created_at, resource.updated_at, resource.deleted_at,
    CASE WHEN resource.type = '' AND resource.deleted_at IS NULL THEN resource.created_at END
FROM webapp_resources AS resource
CROSS JOIN LATERAL (SELECT CASE WHEN resource.type = '' THEN 'video' ELSE resource.type END AS type) AS typed
WHERE typed.type IN ('video', 'channel')
    AND NOT EXISTS (
        SELECT FROM cached_resources AS known WHERE known.type = typed.type AND known.key = resource.key
    )
