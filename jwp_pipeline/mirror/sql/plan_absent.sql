-- Live rows that JW Platform answered 404 for when it was asked for their keys.
INSERT INTO plan (key, change)
SELECT cached.key, 'missing'
FROM raw_snapshots AS look
CROSS JOIN LATERAL unnest(look.absent_keys) AS absent (key)
JOIN cached_resources AS cached
    ON cached.type = :resource_type AND cached.key = absent.key AND cached.deleted_at IS NULL
WHERE look.id = :snapshot_id
ON CONFLICT DO NOTHING
