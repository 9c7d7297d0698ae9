-- Rows that an earlier listing missed and this one has again, whether or not what it has can be stored.
INSERT INTO plan (key, change)
SELECT cached.key, 'found'
FROM cached_resources AS cached
WHERE cached.type = :resource_type
    AND cached.missing_since IS NOT NULL
    AND EXISTS (
        SELECT FROM raw_pages AS page
        WHERE page.snapshot_id = :snapshot_id AND page.keys @> ARRAY[cached.key]
    )
ON CONFLICT DO NOTHING
