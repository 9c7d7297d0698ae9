-- The days from the start of the change log to yesterday that library_history lacks, or that it stored before they
-- were over. Today is not included, because it cannot be complete yet.
SELECT count(DISTINCT due.day) AS days, min(due.day) AS first, max(due.day) AS last
FROM (
    SELECT type, first_day + step AS day
    FROM (
        SELECT resource_type AS type, CAST(min(applied_at) AT TIME ZONE 'UTC' AS date) AS first_day
        FROM raw_snapshots
        WHERE applied_at IS NOT NULL
        GROUP BY resource_type
    ) AS log_of_type
    CROSS JOIN LATERAL generate_series(0, CAST(now() AT TIME ZONE 'UTC' AS date) - first_day - 1) AS step
) AS due
LEFT JOIN library_history AS kept USING (day, type)
WHERE kept.complete IS NOT TRUE
