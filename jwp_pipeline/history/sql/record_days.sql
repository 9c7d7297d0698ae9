-- Computes the state of the library at the end of each day from :first_day to :last_day (UTC), by type: the present
-- state minus everything that was logged after that day. Only rows that differ are written; the query returns one row
-- for each day and type.
--
-- Every logged change moves the live total, the seconds and the bytes by some amount. One pass finds these amounts for
-- all days. The value of a field after a change is the old value in the next change of that field or, if there is no
-- later change, the present value. (Volatile fields are not logged, so only their present value is known.)
WITH log_of_type AS (
    SELECT DISTINCT ON (resource_type)
        resource_type AS type,
        id AS first_snapshot,
        CAST(applied_at AT TIME ZONE 'UTC' AS date) AS first_day
    FROM raw_snapshots
    WHERE applied_at IS NOT NULL
    ORDER BY resource_type, applied_at, id
),
logged AS MATERIALIZED (
    SELECT
        id, type, key, change, snapshot_id,
        CAST(changed_at AT TIME ZONE 'UTC' AS date) AS day,
        changed_fields -> 'duration' -> 0 AS old_duration,
        changed_fields -> 'size' -> 0 AS old_size,
        min(id) FILTER (WHERE changed_fields -> 'duration' IS NOT NULL) OVER later AS next_duration,
        min(id) FILTER (WHERE changed_fields -> 'size' IS NOT NULL) OVER later AS next_size
    FROM resource_changes
    WHERE changed_at >= CAST(CAST(:first_day AS date) AS timestamp) AT TIME ZONE 'UTC'
    WINDOW later AS (PARTITION BY type, key ORDER BY id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
around AS (
    SELECT
        logged.type, logged.day, logged.change, logged.snapshot_id,
        CAST(logged.change IN ('changed', 'deleted') AS integer) AS live_before,
        CAST(logged.change <> 'deleted' AS integer) AS live_after,
        known_quantity(coalesce(logged.old_duration, after.duration)) AS seconds_before,
        known_quantity(after.duration) AS seconds_after,
        known_quantity(coalesce(logged.old_size, after.size)) AS bytes_before,
        known_quantity(after.size) AS bytes_after
    FROM logged
    LEFT JOIN logged AS by_duration ON by_duration.id = logged.next_duration
    LEFT JOIN logged AS by_size ON by_size.id = logged.next_size
    LEFT JOIN cached_resources AS cached ON cached.type = logged.type AND cached.key = logged.key
    CROSS JOIN LATERAL (
        SELECT
            coalesce(by_duration.old_duration, cached.data -> 'duration') AS duration,
            coalesce(by_size.old_size, cached.data -> 'size') AS size
    ) AS after
),
moved AS (
    SELECT
        around.type,
        around.day,
        count(*) FILTER (WHERE change = 'added') AS added,
        count(*) FILTER (WHERE change = 'changed') AS changed,
        count(*) FILTER (WHERE change = 'restored') AS restored,
        count(*) FILTER (WHERE change = 'deleted') AS deleted,
        count(*) FILTER (WHERE change = 'added' AND snapshot_id = first_snapshot) AS at_first,
        sum(live_after - live_before) AS live,
        sum(live_after * coalesce(seconds_after, 0) - live_before * coalesce(seconds_before, 0)) AS seconds,
        sum(live_after * coalesce(bytes_after, 0) - live_before * coalesce(bytes_before, 0)) AS bytes
    FROM around
    JOIN log_of_type USING (type)
    GROUP BY around.type, around.day
),
present AS (
    SELECT
        type,
        count(*) AS live,
        sum(known_quantity(data -> 'duration')) AS seconds,
        sum(known_quantity(data -> 'size')) AS bytes
    FROM cached_resources
    WHERE deleted_at IS NULL
    GROUP BY type
),
state AS (
    SELECT
        day.day, kind.type,
        log_of_type.first_day,
        day.day >= log_of_type.first_day AS is_logged,
        day.day < CAST(now() AT TIME ZONE 'UTC' AS date) AS is_over,
        coalesce(on_day.added, 0) AS added,
        coalesce(on_day.changed, 0) AS changed,
        coalesce(on_day.restored, 0) AS restored,
        coalesce(on_day.deleted, 0) AS deleted,
        coalesce(on_day.at_first, 0) AS at_first,
        coalesce(present.live, 0) - coalesce(since.live, 0) AS live,
        coalesce(present.seconds, 0) - coalesce(since.seconds, 0) AS seconds,
        coalesce(present.bytes, 0) - coalesce(since.bytes, 0) AS bytes
    FROM (VALUES ('video'), ('channel')) AS kind (type)
    CROSS JOIN (
        SELECT CAST(:first_day AS date) + step AS day
        FROM generate_series(0, CAST(:last_day AS date) - CAST(:first_day AS date)) AS step
    ) AS day
    LEFT JOIN log_of_type USING (type)
    LEFT JOIN present USING (type)
    LEFT JOIN moved AS on_day ON on_day.type = kind.type AND on_day.day = day.day
    CROSS JOIN LATERAL (
        SELECT sum(live) AS live, sum(seconds) AS seconds, sum(bytes) AS bytes
        FROM moved
        WHERE moved.type = kind.type AND moved.day > day.day
    ) AS since
),
computed AS MATERIALIZED (
    SELECT
        day,
        type,
        CASE WHEN is_logged THEN CAST(live AS integer) END AS live,
        CASE WHEN is_logged THEN added END AS added,
        CASE WHEN is_logged THEN changed END AS changed,
        CASE WHEN is_logged THEN restored END AS restored,
        CASE WHEN is_logged THEN deleted END AS deleted,
        -- Rounded, because the same sum may be computed with more or fewer digits.
        CASE WHEN is_logged AND type = 'video' AND (seconds > 0 OR live = 0)
            THEN CAST(round(seconds / 3600, 4) AS double precision) END AS hours,
        CASE WHEN is_logged AND type = 'video' AND (bytes > 0 OR live = 0)
            THEN CAST(bytes AS bigint) END AS storage_bytes,
        coalesce(is_logged AND is_over, false) AS complete,
        nullif(concat_ws(' ',
            CASE
                WHEN first_day IS NULL THEN 'Nothing has been mirrored yet.'
                WHEN NOT is_logged THEN format('The change log begins on %s.', first_day)
            END,
            CASE WHEN is_logged AND NOT is_over THEN 'The day was not over.' END,
            CASE WHEN is_logged AND at_first > 0 THEN
                format('First mirror: %s of those added had been there before.', at_first) END
        ), '') AS note
    FROM state
),
updated AS (
    UPDATE library_history AS kept
    SET live = computed.live, added = computed.added, changed = computed.changed, restored = computed.restored,
        deleted = computed.deleted, hours = computed.hours, storage_bytes = computed.storage_bytes,
        complete = computed.complete, note = computed.note, computed_at = now()
    FROM computed
    WHERE kept.day = computed.day AND kept.type = computed.type
        AND (kept.live, kept.added, kept.changed, kept.restored, kept.deleted, kept.hours, kept.storage_bytes,
            kept.complete, kept.note)
        IS DISTINCT FROM (computed.live, computed.added, computed.changed, computed.restored, computed.deleted,
            computed.hours, computed.storage_bytes, computed.complete, computed.note)
    RETURNING kept.day, kept.type
),
inserted AS (
    INSERT INTO library_history
        (day, type, live, added, changed, restored, deleted, hours, storage_bytes, complete, note)
    SELECT day, type, live, added, changed, restored, deleted, hours, storage_bytes, complete, note
    FROM computed
    WHERE NOT EXISTS (
        SELECT FROM library_history AS kept WHERE kept.day = computed.day AND kept.type = computed.type
    )
    RETURNING day, type
)
SELECT computed.*, written.day IS NOT NULL AS written
FROM computed
LEFT JOIN (SELECT day, type FROM updated UNION ALL SELECT day, type FROM inserted) AS written USING (day, type)
ORDER BY day, type
