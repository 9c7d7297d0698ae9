-- Rows that were missing from an earlier complete listing and are not in this read, which is not complete, either.
INSERT INTO plan (key, change)
SELECT key, 'missing'
FROM cached_resources
WHERE type = :resource_type AND missing_since IS NOT NULL
ON CONFLICT DO NOTHING
