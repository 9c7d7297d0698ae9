-- Carries out the whole plan in one statement. Every part of it sees the cache as it was before, so the change log can
-- record the old values. Only planned rows are touched. The caller holds the writer lock.
WITH added AS (
    INSERT INTO cached_resources (type, key, data, digest)
    SELECT :resource_type, key, data, digest FROM plan WHERE change = 'added'
),
rewritten AS (
    UPDATE cached_resources AS cached
    SET data = plan.data, digest = plan.digest, updated_at = now(), deleted_at = NULL,
        missing_since = CASE WHEN NOT :is_listing THEN cached.missing_since END,
        asked_at = CASE WHEN NOT :is_listing THEN cached.asked_at END,
        pushed_at = CASE WHEN NOT :is_listing THEN cached.pushed_at END
    FROM plan
    WHERE plan.change IN ('changed', 'refreshed', 'restored')
        AND cached.type = :resource_type AND cached.key = plan.key
),
reformatted AS (
    UPDATE cached_resources AS cached
    SET digest = plan.digest, missing_since = NULL, asked_at = NULL, pushed_at = NULL
    FROM plan
    WHERE plan.change = 'reformatted' AND cached.type = :resource_type AND cached.key = plan.key
),
deleted AS (
    UPDATE cached_resources AS cached
    SET deleted_at = now(), missing_since = NULL, asked_at = NULL, pushed_at = NULL
    FROM plan
    WHERE plan.change = 'deleted' AND cached.type = :resource_type AND cached.key = plan.key
),
marked AS (
    UPDATE cached_resources AS cached
    SET missing_since = coalesce(cached.missing_since, now()),
        asked_at = CASE WHEN plan.asked THEN now() ELSE cached.asked_at END
    FROM plan
    WHERE plan.change = 'missing' AND cached.type = :resource_type AND cached.key = plan.key
        AND (cached.missing_since IS NULL OR plan.asked)
),
found AS (
    UPDATE cached_resources AS cached
    SET missing_since = NULL, asked_at = NULL, pushed_at = NULL
    FROM plan
    WHERE plan.change = 'found' AND cached.type = :resource_type AND cached.key = plan.key
)
INSERT INTO resource_changes (snapshot_id, type, key, change, changed_fields)
SELECT
    :snapshot_id,
    :resource_type,
    logged.key,
    logged.change,
    CASE WHEN logged.change IN ('changed', 'restored') THEN (
        SELECT jsonb_object_agg(compared.field, jsonb_build_array(compared.old_value, compared.new_value))
        FROM plan
        JOIN cached_resources AS cached ON cached.type = :resource_type AND cached.key = plan.key
        CROSS JOIN LATERAL (
            SELECT field, old.value AS old_value, new.value AS new_value
            FROM jsonb_each(cached.data) AS old (field, value)
            FULL JOIN jsonb_each(plan.data) AS new (field, value) USING (field)
        ) AS compared
        WHERE plan.key = logged.key
            AND compared.old_value IS DISTINCT FROM compared.new_value
            AND compared.field <> ALL (CAST(:volatile_fields AS text[]))
    ) END
-- The rows are sorted by key without their data, because the data of a first sync would not fit in memory.
FROM (
    SELECT key, change FROM plan WHERE change IN ('added', 'changed', 'restored', 'deleted') ORDER BY key
) AS logged
