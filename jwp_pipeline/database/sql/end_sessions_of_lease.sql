-- End the sessions of a lease that still exist, and wait until they are gone. Leave out a session that a pooler has
-- since given to a later lease.
SELECT pg_terminate_backend(activity.pid, :milliseconds) AS gone
FROM run_leases AS lease
CROSS JOIN LATERAL unnest(lease.backend_pids, lease.backend_starts) AS session (pid, backend_start)
JOIN pg_stat_activity AS activity USING (pid, backend_start)
WHERE lease.fencing_number = :number
  AND NOT EXISTS (
      SELECT
      FROM run_leases AS later
      CROSS JOIN LATERAL unnest(later.backend_pids, later.backend_starts) AS held (pid, backend_start)
      WHERE later.fencing_number > lease.fencing_number
        AND later.ended_at IS NULL
        AND (held.pid, held.backend_start) = (session.pid, session.backend_start)
  )
