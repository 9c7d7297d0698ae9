-- Of the keys that looks have overtaken (plan_overtaken.sql): how many more of them are live than the listing contains.
WITH overtaken AS (
    SELECT DISTINCT seen.key
    FROM raw_snapshots AS look
    JOIN raw_pages AS page ON page.snapshot_id = look.id
    CROSS JOIN LATERAL unnest(page.keys || look.absent_keys) AS seen (key)
    WHERE look.resource_type = :type AND look.id > :snapshot_id
        AND look.scope = 'keys' AND look.applied_at IS NOT NULL AND seen.key IS NOT NULL
)
SELECT
    count(*) FILTER (
        WHERE EXISTS (
            SELECT FROM cached_resources AS cached
            WHERE cached.type = :type AND cached.key = overtaken.key
                AND cached.deleted_at IS NULL AND cached.missing_since IS NULL AND cached.pushed_at IS NULL
        )
    )
    - count(*) FILTER (
        WHERE EXISTS (
            SELECT FROM raw_pages AS page
            WHERE page.snapshot_id = :snapshot_id AND page.keys @> ARRAY[overtaken.key]
        )
    )
FROM overtaken
