-- Missing keys in the order in which JW Platform is asked about them, so that none waits for ever behind the others.
SELECT plan.key
FROM plan
JOIN cached_resources AS cached ON cached.type = :resource_type AND cached.key = plan.key
WHERE plan.change = 'missing'
ORDER BY cached.asked_at NULLS FIRST, cached.missing_since, cached.key
LIMIT :limit
