UPDATE sync_problems AS known
SET last_seen_at = now(), value = found.value, problem = found.problem
FROM found_problems AS found
WHERE known.stage = :stage AND known.type = :resource_type AND known.resolved_at IS NULL
    AND known.key = found.key AND known.field = found.field
