-- Live rows that are missing from a complete listing. JW Platform is asked about each key to find out if it is gone.
-- What a push created a moment ago is not missing, because listings show a new video late.
INSERT INTO plan (key, change)
SELECT cached.key, 'missing'
FROM cached_resources AS cached
WHERE cached.type = :resource_type
    AND cached.deleted_at IS NULL
    AND NOT EXISTS (
        SELECT FROM (SELECT unnest(keys) AS key FROM raw_pages WHERE snapshot_id = :snapshot_id) AS listed
        WHERE listed.key = cached.key
    )
    -- A second look at the table, so that the one above needs nothing but an index.
    AND NOT EXISTS (
        SELECT FROM cached_resources AS pushed
        WHERE pushed.type = :resource_type AND pushed.key = cached.key
            AND pushed.pushed_at >= now() - make_interval(mins => :overlap_minutes)
    )
