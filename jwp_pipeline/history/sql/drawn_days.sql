-- The known days, for the charts. What the first sync added does not count as added, because it existed before.
WITH first_mirror AS (
    SELECT DISTINCT ON (resource_type) resource_type AS type, id AS snapshot_id
    FROM raw_snapshots
    WHERE applied_at IS NOT NULL
    ORDER BY resource_type, applied_at, id
),
already_there AS (
    SELECT change.type, CAST(change.changed_at AT TIME ZONE 'UTC' AS date) AS day, count(*) AS resources
    FROM first_mirror
    JOIN resource_changes AS change USING (snapshot_id)
    WHERE change.change = 'added'
    GROUP BY 1, 2
)
SELECT
    day, type, live,
    added - coalesce(resources, 0) AS added,
    restored, deleted, hours, storage_bytes
FROM library_history
LEFT JOIN already_there USING (day, type)
WHERE live IS NOT NULL
ORDER BY day, type
