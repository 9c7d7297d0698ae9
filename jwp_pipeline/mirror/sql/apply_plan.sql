-- The whole plan in one statement: every part sees the cache as it was before, so the change log can quote
-- the old values. Only planned rows are touched. The caller holds the apply lock.
WITH now_cached AS (
    SELECT plan.key, plan.change, plan.data AS new_data, cached.data AS old_data
    FROM plan
    LEFT JOIN cached_resources AS cached ON cached.type = :resource_type AND cached.key = plan.key
),
added AS (
    INSERT INTO cached_resources (type, key, data)
    SELECT :resource_type, key, data FROM plan WHERE change = 'added'
),
rewritten AS (
    UPDATE cached_resources AS cached
    SET data = plan.data, updated_at = now(), deleted_at = NULL
    FROM plan
    WHERE plan.change IN ('changed', 'refreshed', 'restored')
        AND cached.type = :resource_type AND cached.key = plan.key
),
deleted AS (
    UPDATE cached_resources AS cached
    SET deleted_at = now()
    FROM plan
    WHERE plan.change = 'deleted' AND cached.type = :resource_type AND cached.key = plan.key
)
INSERT INTO resource_changes (snapshot_id, type, key, change, changed_fields)
SELECT
    :snapshot_id,
    :resource_type,
    now_cached.key,
    now_cached.change,
    CASE WHEN now_cached.change IN ('changed', 'restored') THEN (
        SELECT jsonb_object_agg(field, jsonb_build_array(old.value, new.value))
        FROM jsonb_each(now_cached.old_data) AS old (field, value)
        FULL JOIN jsonb_each(now_cached.new_data) AS new (field, value) USING (field)
        WHERE old.value IS DISTINCT FROM new.value AND field <> ALL (CAST(:volatile_fields AS text[]))
    ) END
FROM now_cached
WHERE now_cached.change <> 'refreshed'
ORDER BY now_cached.key
