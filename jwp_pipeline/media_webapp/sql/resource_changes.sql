-- Logs the live resources that are about to be added, if the change log of their type has begun. Before its first
-- snapshot there is nothing that they would be added to.
INSERT INTO resource_changes (type, key, change)
SELECT typed.type, resource.key, 'added'
FROM webapp_resources AS resource
CROSS JOIN LATERAL (SELECT CASE WHEN resource.type = '' THEN 'video' ELSE resource.type END AS type) AS typed
WHERE resource.deleted_at IS NULL
    AND typed.type IN ('video', 'channel')
    AND EXISTS (
        SELECT FROM raw_snapshots AS snapshot
        WHERE snapshot.resource_type = typed.type AND snapshot.applied_at IS NOT NULL
    )
    AND NOT EXISTS (
        SELECT FROM cached_resources AS known WHERE known.type = typed.type AND known.key = resource.key
    )
ORDER BY resource.key
