-- The missing keys, ordered so that JW Platform is eventually asked about each of them.
SELECT plan.key
FROM plan
JOIN cached_resources AS cached ON cached.type = :resource_type AND cached.key = plan.key
WHERE plan.change = 'missing'
    AND (CAST(:only AS text[]) IS NULL OR plan.key = ANY(CAST(:only AS text[])))
ORDER BY cached.asked_at NULLS FIRST, cached.missing_since, cached.key
LIMIT :limit
