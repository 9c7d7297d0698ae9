-- Every video that was looked at, and whether its item now waits for a newer stamp. One without an item is
-- synchronised by being looked at.
UPDATE videos
SET looked_at = seen.looked_at, waits = seen.waits, updated = seen.updated
FROM (
    SELECT
        mapped.key,
        mapped.looked_at,
        coalesce((proposed.differs OR proposed.sms_differs) AND NOT (proposed.is_due OR :sync_all), false) AS waits,
        CASE WHEN known.media_item_id IS NULL THEN greatest(mapped.updated, known.updated) ELSE known.updated END AS updated
    FROM mapped_videos AS mapped
    JOIN videos AS known ON known.key = mapped.key
    LEFT JOIN proposed_items AS proposed ON proposed.key = mapped.key
) AS seen
WHERE videos.key = seen.key
    AND (videos.looked_at, videos.waits, videos.updated) IS DISTINCT FROM (seen.looked_at, seen.waits, seen.updated)
