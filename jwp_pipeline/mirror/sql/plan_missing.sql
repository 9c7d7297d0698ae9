-- Live rows that are missing from a complete listing. JW Platform is asked about each key to find out if it is gone.
-- What a push created a moment ago is not missing, because listings show a new video late.
INSERT INTO plan (key, change)
SELECT cached.key, 'missing'
FROM cached_resources AS cached
WHERE cached.type = :resource_type
    AND cached.deleted_at IS NULL
    AND (cached.pushed_at IS NULL OR cached.pushed_at < now() - make_interval(mins => :overlap_minutes))
    AND NOT EXISTS (
        SELECT FROM raw_pages AS page
        CROSS JOIN LATERAL unnest(page.keys) AS entry (key)
        WHERE page.snapshot_id = :snapshot_id AND entry.key = cached.key
    )
