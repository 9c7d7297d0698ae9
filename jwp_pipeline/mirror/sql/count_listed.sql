-- How many resources JW Platform should list if a snapshot contains everything new: the live rows, without those that are
-- missing from the last complete listing or that a push created and no listing has shown, and the snapshot's other keys.
-- These are separate counts, because an index can answer each of the first two without reading the rows.
SELECT
    (SELECT count(*) FROM cached_resources WHERE type = :type AND deleted_at IS NULL)
    - (
        SELECT count(*) FROM cached_resources
        WHERE type = :type AND deleted_at IS NULL AND (missing_since IS NOT NULL OR pushed_at IS NOT NULL)
    )
    + (
        SELECT count(DISTINCT entry.key)
        FROM raw_pages AS page
        CROSS JOIN LATERAL unnest(page.keys) AS entry (key)
        LEFT JOIN cached_resources AS listed
            ON listed.type = :type AND listed.key = entry.key
            AND listed.deleted_at IS NULL AND listed.missing_since IS NULL AND listed.pushed_at IS NULL
        WHERE page.snapshot_id = CAST(:snapshot_id AS bigint) AND entry.key IS NOT NULL AND listed.key IS NULL
    )
