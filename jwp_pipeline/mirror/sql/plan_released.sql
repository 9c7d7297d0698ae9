-- Plans what a release deletes: the withheld keys that are still missing from the newest complete listing. An applied
-- listing has marked them in the cache; a newer listing that was refused is looked at as well.
INSERT INTO plan (key, change)
SELECT cached.key, 'deleted'
FROM raw_snapshots AS released
CROSS JOIN LATERAL unnest(released.withheld_keys) AS withheld (key)
JOIN cached_resources AS cached
    ON cached.type = :resource_type AND cached.key = withheld.key AND cached.deleted_at IS NULL
WHERE released.id = :snapshot_id
    AND (:is_whole OR cached.missing_since IS NOT NULL)
    AND NOT EXISTS (
        SELECT FROM raw_pages AS page
        WHERE page.snapshot_id = (
            SELECT max(newer.id) FROM raw_snapshots AS newer
            WHERE newer.resource_type = :resource_type AND newer.complete AND newer.id > released.id
        )
        AND page.keys @> ARRAY[cached.key]
    )
ON CONFLICT (key) DO UPDATE SET change = 'deleted' WHERE plan.change = 'missing'
