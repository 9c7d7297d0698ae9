-- Compares a snapshot's pages with the cache in one pass, and plans what must be added, changed or restored.
-- It takes no row locks and writes only to the temporary table, so that an unchanged listing costs no WAL.
-- If a key is listed more than once, its last occurrence wins.
INSERT INTO plan (key, change, data)
WITH listed AS (
    SELECT page.page_number, element.position, element.key, element.data
    FROM raw_pages AS page
    CROSS JOIN LATERAL ROWS FROM (
        jsonb_array_elements(page.body -> CAST(:array_field AS text)), unnest(page.keys)
    ) WITH ORDINALITY AS element (data, key, position)
    WHERE page.snapshot_id = :snapshot_id
),
overridden AS (
    SELECT page_number, position
    FROM (
        SELECT
            page.page_number,
            entry.position,
            row_number() OVER (
                PARTITION BY entry.key ORDER BY page.page_number DESC, entry.position DESC
            ) AS from_last
        FROM raw_pages AS page
        CROSS JOIN LATERAL unnest(page.keys) WITH ORDINALITY AS entry (key, position)
        WHERE :has_repeats AND page.snapshot_id = :snapshot_id AND entry.key IS NOT NULL
    ) AS occurrence
    WHERE from_last > 1
)
SELECT
    listed.key,
    CASE
        WHEN cached.key IS NULL THEN 'added'
        WHEN cached.deleted_at IS NOT NULL THEN 'restored'
        WHEN cached.data - CAST(:volatile_fields AS text[]) = listed.data - CAST(:volatile_fields AS text[])
            THEN 'refreshed'
        ELSE 'changed'
    END,
    listed.data
FROM listed
LEFT JOIN cached_resources AS cached ON cached.type = :resource_type AND cached.key = listed.key
WHERE listed.key IS NOT NULL
    AND jsonb_typeof(listed.data) = 'object'
    AND (listed.page_number, listed.position) NOT IN (SELECT page_number, position FROM overridden)
    AND (cached.key IS NULL OR cached.deleted_at IS NOT NULL OR cached.data <> listed.data)
