-- Records that problems still stand that are looked for in every sync, because nothing was written since they were found.
UPDATE sync_problems
SET last_seen_at = now()
WHERE resolved_at IS NULL AND (stage IN ('ownership', 'permission') OR (stage, type) = ('mapping', 'channel'))
