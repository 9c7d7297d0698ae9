-- Declare a run dead. FOR UPDATE waits for a transaction that holds the lease while it writes, and a plain UPDATE would
-- not.
WITH dead AS (
    SELECT fencing_number FROM run_leases WHERE fencing_number = :number AND ended_at IS NULL FOR UPDATE
)
UPDATE run_leases SET ended_at = clock_timestamp(), taken_over_by = :by
FROM dead
WHERE run_leases.fencing_number = dead.fencing_number
