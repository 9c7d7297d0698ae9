-- Stores the stamp that JW Platform answered. The next listing that is as new brings what others changed there.
UPDATE videos
SET updated = greatest(updated, :updated),
    pushed_updated = greatest(pushed_updated, :updated),
    pushed_at = clock_timestamp(),
    awaits_listing = true
WHERE key = :key
