-- Rows that an earlier complete listing missed, and that this read, which is not complete, does not hold either.
INSERT INTO plan (key, change)
SELECT key, 'missing'
FROM cached_resources
WHERE type = :resource_type AND missing_since IS NOT NULL
ON CONFLICT DO NOTHING
