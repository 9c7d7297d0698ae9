-- Find the sessions whose transactions held locks on our tables during our whole wait, with the oldest first.
-- PostgreSQL shows little about sessions of other roles unless our role is a member of pg_read_all_stats.
SELECT
    lock.pid,
    session.usename AS role,
    session.application_name AS application,
    session.xact_start AS since,
    string_agg(DISTINCT relation.relname, ', ' ORDER BY relation.relname) AS tables
FROM pg_locks AS lock
JOIN pg_class AS relation ON relation.oid = lock.relation
LEFT JOIN pg_stat_activity AS session USING (pid)
WHERE lock.granted
    AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND relation.relnamespace = current_schema()::regnamespace
    AND relation.relkind IN ('r', 'p')
    AND lock.pid IS DISTINCT FROM pg_backend_pid()
    AND coalesce(session.xact_start < now() - current_setting('lock_timeout')::interval, true)
GROUP BY lock.pid, session.usename, session.application_name, session.xact_start
ORDER BY session.xact_start NULLS FIRST
LIMIT 5
