-- Delete old leases, but keep one whose run may still be alive.
DELETE FROM run_leases
WHERE fencing_number <= :newest - :kept
  AND (ended_at IS NOT NULL OR heartbeat_at < clock_timestamp() - interval '1 day')
