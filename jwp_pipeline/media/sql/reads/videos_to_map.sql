-- The videos to read, with the stored values that decide about the permission of each, and the fields that were edited
-- here. The present permission is included only if some items may not be due, or if it was edited. `read_at` is when the
-- newest read that tells something about the video was begun: a listing, or a look at this very key. Looks from before
-- the newest listing make no difference.
WITH listing AS MATERIALIZED (
    SELECT max(started_at) AS read_at
    FROM raw_snapshots
    WHERE resource_type = 'video' AND applied_at IS NOT NULL AND scope <> 'keys'
),
looks AS MATERIALIZED (
    SELECT looked.key, max(look.started_at) AS read_at
    FROM raw_snapshots AS look
    JOIN raw_pages AS page ON page.snapshot_id = look.id
    CROSS JOIN LATERAL unnest(page.keys) AS looked (key)
    WHERE look.resource_type = 'video' AND look.applied_at IS NOT NULL AND look.scope = 'keys'
        AND look.started_at > coalesce((SELECT read_at FROM listing), '-infinity')
    GROUP BY looked.key
)
SELECT
    cached.key, cached.data, cached.updated_at, videos.acl_state, coalesce(videos.had_acl, false) AS had_acl,
    videos.sms_media_id, item.id IS NOT NULL AS has_item, {item.view}, videos.pushed_updated, videos.pushed_at,
    coalesce(videos.awaits_listing, false) AS awaits_listing,
    coalesce(looks.read_at, (SELECT read_at FROM listing)) AS read_at,
    edited.waiting, edited.undecided
FROM videos_to_read
JOIN cached_resources AS cached ON cached.type = 'video' AND cached.key = videos_to_read.key
LEFT JOIN videos ON videos.key = cached.key
LEFT JOIN looks ON looks.key = cached.key
LEFT JOIN (
    SELECT
        media_item_id,
        array_agg(field) FILTER (WHERE state = 'waiting') AS waiting,
        array_agg(field) FILTER (WHERE state IN ('conflict', 'refused')) AS undecided
    FROM known_edits
    GROUP BY media_item_id
) AS edited ON edited.media_item_id = videos.media_item_id
LEFT JOIN media_items AS item
    ON (:with_permissions OR edited.undecided IS NOT NULL) AND item.id = videos.media_item_id
