-- Declare a run dead. A plain UPDATE would not wait for a transaction that holds the lease for its writes: this does.
WITH dead AS (
    SELECT fencing_number FROM run_leases WHERE fencing_number = :number AND ended_at IS NULL FOR UPDATE
)
UPDATE run_leases SET ended_at = clock_timestamp(), taken_over_by = :by
FROM dead
WHERE run_leases.fencing_number = dead.fencing_number
