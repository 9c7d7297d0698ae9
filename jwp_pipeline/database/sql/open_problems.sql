INSERT INTO sync_problems (stage, type, key, field, value, problem)
SELECT DISTINCT ON (found.key, found.field)
    :stage, :resource_type, found.key, found.field, found.value, found.problem
FROM found_problems AS found
WHERE NOT EXISTS (
    SELECT FROM sync_problems AS known
    WHERE known.stage = :stage AND known.type = :resource_type AND known.resolved_at IS NULL
        AND known.key = found.key AND known.field = found.field
)
ORDER BY found.key, found.field
