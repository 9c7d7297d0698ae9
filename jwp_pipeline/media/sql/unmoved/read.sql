-- What the last sync of everything left, if it had the same options and nothing was written since. A problem that
-- somebody resolved by hand may still be there, and is looked for.
SELECT state.followed_at, state.live, state.violations
FROM media_side AS state
WHERE state.options = :options
    AND NOT EXISTS (SELECT FROM unfollowed_writes)
    AND state.open_problems = (
        SELECT count(*) FROM sync_problems
        WHERE resolved_at IS NULL AND (stage IN ('ownership', 'permission') OR (stage, type) = ('mapping', 'channel'))
    )
