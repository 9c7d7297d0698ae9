-- Insert a lease for a run, record this session in it, and return its fencing number.
INSERT INTO run_leases (run_id, host, process_id, container, backend_pids, backend_starts)
SELECT :run_id, :host, :process_id, :container, ARRAY[pid], ARRAY[backend_start]
FROM pg_stat_activity
WHERE pid = pg_backend_pid()
RETURNING fencing_number
