-- Find the newest lease of each of these runs, and how long ago it ended or last sent a heartbeat. Silence is counted
-- from the start of the server at the earliest, so that every run has time to reconnect.
SELECT DISTINCT ON (run_id)
    run_id,
    fencing_number,
    host,
    process_id,
    ended_at IS NOT NULL AS ended,
    taken_over_by,
    CAST(extract(epoch FROM clock_timestamp() - ended_at) AS float8) AS seconds_since_end,
    CAST(extract(epoch FROM clock_timestamp() - greatest(heartbeat_at, pg_postmaster_start_time())) AS float8)
        AS seconds_silent
FROM run_leases
WHERE run_id = ANY(CAST(:run_ids AS text[]))
ORDER BY run_id, fencing_number DESC
