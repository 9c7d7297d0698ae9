-- The last days (UTC) of the videos: how many were live at the end of each, and how many changes there were on it. Days
-- before the change log begins are left out. The first mirror adds the whole library: that is no change of it, and
-- beside it no other change would be seen.
WITH log AS (
    SELECT min(applied_at) AS begins_at, (array_agg(id ORDER BY applied_at, id))[1] AS first_mirror
    FROM raw_snapshots
    WHERE resource_type = 'video' AND applied_at IS NOT NULL
),
days AS (
    SELECT CAST(day AS date) AS day
    FROM log
    CROSS JOIN LATERAL generate_series(
        greatest(
            date_trunc('day', now() AT TIME ZONE 'UTC') - make_interval(days => :days - 1),
            date_trunc('day', log.begins_at AT TIME ZONE 'UTC')
        ),
        date_trunc('day', now() AT TIME ZONE 'UTC'),
        interval '1 day'
    ) AS day
    WHERE log.begins_at IS NOT NULL
),
changes AS (
    SELECT
        CAST(changed_at AT TIME ZONE 'UTC' AS date) AS day,
        count(*) FILTER (WHERE snapshot_id IS DISTINCT FROM (SELECT first_mirror FROM log)) AS changes,
        count(*) FILTER (WHERE change IN ('added', 'restored')) - count(*) FILTER (WHERE change = 'deleted') AS growth
    FROM resource_changes
    WHERE type = 'video' AND changed_at >= (SELECT min(day) FROM days) AT TIME ZONE 'UTC'
    GROUP BY 1
),
today AS (
    SELECT count(*) AS live FROM cached_resources WHERE type = 'video' AND deleted_at IS NULL
)
SELECT
    days.day,
    coalesce(changes.changes, 0) AS changes,
    today.live - coalesce(
        sum(changes.growth) OVER (ORDER BY days.day ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING), 0
    ) AS live
FROM days
CROSS JOIN today
LEFT JOIN changes USING (day)
ORDER BY days.day
