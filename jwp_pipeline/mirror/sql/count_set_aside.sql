-- Counts the keys that a snapshot lists but that are neither in the plan nor live: their resources cannot be stored.
SELECT count(DISTINCT entry.key)
FROM raw_pages AS page
CROSS JOIN LATERAL unnest(page.keys) AS entry (key)
LEFT JOIN plan ON plan.key = entry.key
LEFT JOIN cached_resources AS cached
    ON cached.type = :resource_type AND cached.key = entry.key AND cached.deleted_at IS NULL
WHERE page.snapshot_id = :snapshot_id AND entry.key IS NOT NULL AND plan.key IS NULL AND cached.key IS NULL
