-- Keys that JW Platform should have: those that the snapshot contains, which may all be new to the cache, or else live
-- ones at random, because neighbours are often deleted together. The second part is not computed if the first one is
-- enough.
(
    SELECT entry.key
    FROM raw_pages AS page
    CROSS JOIN LATERAL unnest(page.keys) AS entry (key)
    WHERE page.snapshot_id = :snapshot_id AND entry.key IS NOT NULL
    LIMIT :limit
)
UNION ALL
(
    SELECT cached.key
    FROM cached_resources AS cached
    WHERE cached.type = :resource_type
        AND cached.deleted_at IS NULL
        AND cached.missing_since IS NULL
        AND NOT EXISTS (SELECT FROM plan WHERE plan.key = cached.key AND plan.change IN ('missing', 'deleted'))
    ORDER BY random()
    LIMIT :limit
)
LIMIT :limit
