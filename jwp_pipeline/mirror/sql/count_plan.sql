-- The counts of the plan, and of the live rows before it.
SELECT
    (SELECT count(*) FROM cached_resources WHERE type = :resource_type AND deleted_at IS NULL) AS live,
    count(*) FILTER (WHERE change = 'added') AS added,
    count(*) FILTER (WHERE change = 'changed') AS changed,
    count(*) FILTER (WHERE change = 'refreshed') AS refreshed,
    count(*) FILTER (WHERE change = 'reformatted') AS reformatted,
    count(*) FILTER (WHERE change = 'restored') AS restored,
    count(*) FILTER (WHERE change IN ('missing', 'deleted')) AS missing,
    count(*) FILTER (
        WHERE change IN ('missing', 'deleted') AND EXISTS (
            SELECT FROM cached_resources AS cached
            WHERE cached.type = :resource_type AND cached.key = plan.key AND cached.pushed_at IS NOT NULL
        )
    ) AS never_listed,
    count(*) FILTER (WHERE change = 'deleted') AS deleted
FROM plan
