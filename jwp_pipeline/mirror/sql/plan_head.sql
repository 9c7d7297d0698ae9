-- The first rows of the plan, to show to people. Deletions come first, because they matter most.
SELECT
    plan.key,
    plan.change,
    coalesce(shown.data ->> 'title', shown.data -> 'metadata' ->> 'title', '') AS title,
    CASE WHEN plan.change IN ('changed', 'restored') THEN CAST(cached.data AS text) END AS old,
    CASE WHEN plan.change IN ('changed', 'restored') THEN CAST(plan.data AS text) END AS new
FROM plan
LEFT JOIN cached_resources AS cached ON cached.type = :resource_type AND cached.key = plan.key
CROSS JOIN LATERAL (SELECT coalesce(plan.data, cached.data) AS data) AS shown
WHERE plan.change NOT IN ('refreshed', 'reformatted', 'found')
ORDER BY array_position(ARRAY['deleted', 'missing', 'restored', 'changed', 'added'], plan.change), plan.key
LIMIT :rows
