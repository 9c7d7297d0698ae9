-- Marks videos that were gone at some time since they were last read, even if no sync ran while they were gone. A later
-- sync may be the one that restores their items. This runs before the videos are mapped, because a push from before the
-- absence must not count: what returned begins anew, with an older stamp or another permission. A push that was made
-- after JW Platform showed the return counts as always.
UPDATE videos
SET deleted_at = NULL,
    reappeared = true,
    pushed_updated = CASE WHEN returned.since_push THEN NULL ELSE videos.pushed_updated END,
    pushed_at = CASE WHEN returned.since_push THEN NULL ELSE videos.pushed_at END,
    awaits_listing = videos.awaits_listing AND NOT returned.since_push
FROM (
    SELECT known.key, coalesce(known.pushed_at < seen.read_at, true) AS since_push
    FROM videos_to_read
    JOIN videos AS known ON known.key = videos_to_read.key
    JOIN cached_resources AS cached ON cached.type = 'video' AND cached.key = known.key
    CROSS JOIN LATERAL (
        SELECT max(coalesce(snapshot.started_at, change.changed_at)) AS read_at
        FROM resource_changes AS change
        LEFT JOIN raw_snapshots AS snapshot ON snapshot.id = change.snapshot_id
        WHERE change.type = 'video' AND change.key = known.key
            AND change.change = 'restored' AND change.changed_at > known.mapped_version
    ) AS seen
    WHERE known.deleted_at IS NOT NULL
        OR (
            known.mapped_version < cached.updated_at
            AND seen.read_at IS NOT NULL
            AND (NOT known.reappeared OR known.pushed_at < seen.read_at)
        )
) AS returned
WHERE videos.key = returned.key
