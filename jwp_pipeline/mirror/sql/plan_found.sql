-- Rows that were missing from an earlier listing and are in this one again, even if the new content cannot be stored;
-- and those that a push created and no listing had shown yet.
INSERT INTO plan (key, change)
SELECT cached.key, 'found'
FROM cached_resources AS cached
WHERE cached.type = :resource_type
    AND (cached.missing_since IS NOT NULL OR cached.pushed_at IS NOT NULL)
    AND EXISTS (
        SELECT FROM raw_pages AS page
        WHERE page.snapshot_id = :snapshot_id AND page.keys @> ARRAY[cached.key]
    )
ON CONFLICT DO NOTHING
