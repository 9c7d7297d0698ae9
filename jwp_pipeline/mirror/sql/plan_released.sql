-- What a release deletes: the keys that were withheld and that the newest complete listing still misses. That listing
-- is an applied one, which has marked them, and perhaps a newer one that was refused in its turn.
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
