-- Distinct usable keys of a snapshot, and those listed more than once. Reads the ledger, never the bodies.
WITH listed AS (
    SELECT entry.key, count(*) AS times
    FROM raw_pages AS page
    CROSS JOIN LATERAL unnest(page.keys) AS entry (key)
    WHERE page.snapshot_id = :snapshot_id AND entry.key IS NOT NULL
    GROUP BY entry.key
)
SELECT count(*) AS distinct_keys, coalesce(array_agg(key) FILTER (WHERE times > 1), '{}') AS repeated_keys
FROM listed
