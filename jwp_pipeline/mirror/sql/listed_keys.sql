-- Live keys that JW Platform should have, because the newest listing contains them.
SELECT cached.key
FROM cached_resources AS cached
WHERE cached.type = :resource_type
    AND cached.deleted_at IS NULL
    AND cached.missing_since IS NULL
    AND NOT EXISTS (SELECT FROM plan WHERE plan.key = cached.key AND plan.change IN ('missing', 'deleted'))
LIMIT :limit
