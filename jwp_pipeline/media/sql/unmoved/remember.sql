-- Stores what a sync of everything leaves, if it moved anything or is the first with these options. A video that waits
-- for a listing as new as its last push has to be looked at in every sync, whatever is written.
INSERT INTO media_side AS known (options, followed_at, live, open_problems)
SELECT
    :options,
    now(),
    CAST(:live AS jsonb),
    (
        SELECT count(*) FROM sync_problems
        WHERE resolved_at IS NULL AND (stage IN ('ownership', 'permission') OR (stage, type) = ('mapping', 'channel'))
    )
WHERE NOT EXISTS (SELECT FROM videos WHERE awaits_listing AND deleted_at IS NULL)
ON CONFLICT (singleton) DO UPDATE
SET options = excluded.options, followed_at = excluded.followed_at, live = excluded.live,
    open_problems = excluded.open_problems, violations = NULL
