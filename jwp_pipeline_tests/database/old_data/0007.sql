-- A run that has ended.
INSERT INTO run_leases (run_id, host, process_id, backend_pids, backend_starts, ended_at)
VALUES ('run-1', 'somewhere', 7, '{}', '{}', now());
