-- The elements of a snapshot whose digest is not that of the live row, for each page that has any. It reads the ledger
-- and an index, but no bodies. If a key is listed more than once, its last occurrence counts.
WITH listed AS (
    SELECT
        page_number,
        generate_series(1, resource_count) AS position,
        unnest(keys) AS key,
        unnest(digests) AS digest
    FROM raw_pages
    WHERE snapshot_id = :snapshot_id
),
overridden AS (
    SELECT page_number, position
    FROM (
        SELECT
            page_number,
            position,
            row_number() OVER (PARTITION BY key ORDER BY page_number DESC, position DESC) AS from_last
        FROM listed
        WHERE :has_repeats AND key IS NOT NULL
    ) AS occurrence
    WHERE from_last > 1
),
differing AS (
    SELECT
        listed.page_number,
        array_agg(listed.position) AS positions,
        array_agg(listed.key) AS keys,
        array_agg(CAST(listed.digest AS text)) AS digests,
        array_agg(CASE WHEN live.key IS NULL THEN 'added' ELSE 'changed' END) AS changes
    FROM listed
    LEFT JOIN cached_resources AS live
        ON live.type = :resource_type AND live.deleted_at IS NULL AND live.key = listed.key
    WHERE listed.key IS NOT NULL
        AND (live.digest = listed.digest) IS NOT TRUE
        AND (listed.page_number, listed.position) NOT IN (SELECT page_number, position FROM overridden)
    GROUP BY listed.page_number
)
SELECT differing.*, coalesce(page.mended, page.body) AS body
FROM differing
JOIN raw_pages AS page ON page.snapshot_id = :snapshot_id AND page.page_number = differing.page_number
