-- Forget leases of long ago; one that may still be alive is kept, however old it is.
DELETE FROM run_leases
WHERE fencing_number <= :newest - :kept
  AND (ended_at IS NOT NULL OR heartbeat_at < clock_timestamp() - interval '1 day')
