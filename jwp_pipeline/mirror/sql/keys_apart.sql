-- The keys that one of two snapshots lists more often than the other. It reads only raw_pages.keys, not the bodies.
SELECT count(*)
FROM (
    SELECT entry.key
    FROM raw_pages AS page
    CROSS JOIN LATERAL unnest(page.keys) AS entry (key)
    WHERE page.snapshot_id IN (:one, :other) AND entry.key IS NOT NULL
    GROUP BY entry.key
    HAVING count(*) FILTER (WHERE page.snapshot_id = :one) <> count(*) FILTER (WHERE page.snapshot_id = :other)
) AS apart
