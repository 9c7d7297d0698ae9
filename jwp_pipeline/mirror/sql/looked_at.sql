-- What a snapshot has read or the plan deletes: problems of these resources that were not found again are over.
INSERT INTO looked_at (key)
SELECT entry.key
FROM raw_pages AS page
CROSS JOIN LATERAL unnest(page.keys) AS entry (key)
WHERE :is_read AND page.snapshot_id = :snapshot_id AND entry.key IS NOT NULL
UNION
SELECT key FROM plan WHERE change = 'deleted'
