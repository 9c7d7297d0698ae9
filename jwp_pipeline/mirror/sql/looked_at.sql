INSERT INTO looked_at (key)
SELECT DISTINCT entry.key
FROM raw_pages AS page
CROSS JOIN LATERAL unnest(page.keys) AS entry (key)
WHERE page.snapshot_id = :snapshot_id AND entry.key IS NOT NULL
