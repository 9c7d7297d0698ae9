-- Stores what a sync of everything leaves, if it moved anything, left other problems, or is the first with these options.
-- A video that waits for a listing as new as its last push has to be looked at in every sync, whatever is written.
WITH reached AS (
    SELECT
        :options AS options,
        CAST(:live AS jsonb) AS live,
        (
            SELECT count(*) FROM sync_problems
            WHERE resolved_at IS NULL
                AND (stage IN ('ownership', 'permission') OR (stage, type) = ('mapping', 'channel'))
        ) AS open_problems
)
INSERT INTO media_side AS known (options, followed_at, live, open_problems)
SELECT options, now(), live, open_problems
FROM reached
WHERE NOT EXISTS (SELECT FROM videos WHERE awaits_listing AND deleted_at IS NULL)
    AND (
        :moved
        OR NOT EXISTS (
            SELECT FROM media_side AS last
            WHERE (last.options, last.live, last.open_problems)
                = (reached.options, reached.live, reached.open_problems)
        )
    )
ON CONFLICT (singleton) DO UPDATE
SET options = excluded.options, followed_at = excluded.followed_at, live = excluded.live,
    open_problems = excluded.open_problems, violations = NULL
