UPDATE sync_problems AS known
SET resolved_at = now()
WHERE known.stage = :stage AND known.type = :resource_type AND known.resolved_at IS NULL
    AND (:complete OR EXISTS (SELECT FROM looked_at WHERE looked_at.key = known.key))
    AND NOT EXISTS (
        SELECT FROM found_problems AS found WHERE found.key = known.key AND found.field = known.field
    )
