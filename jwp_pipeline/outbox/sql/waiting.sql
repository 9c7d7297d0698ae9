-- What is on its way to JW Platform, and what is stuck. Items that were withdrawn, or whose video is gone, do not count:
-- their edits are kept until they are back.
WITH open_edits AS (
    SELECT edited.media_item_id, edited.state, edited.requested_at
    FROM item_updates AS edited
    JOIN media_items AS item ON item.id = edited.media_item_id AND item.deleted_at IS NULL
    JOIN videos ON videos.media_item_id = edited.media_item_id AND videos.deleted_at IS NULL
    WHERE edited.state <> 'pushed'
),
open_creations AS (
    SELECT creation.media_item_id, creation.state, creation.requested_at
    FROM item_creations AS creation
    JOIN media_items AS item ON item.id = creation.media_item_id AND item.deleted_at IS NULL
    WHERE creation.state <> 'created'
),
everything AS (
    SELECT media_item_id, state, requested_at FROM open_edits
    UNION ALL
    SELECT media_item_id, state, requested_at FROM open_creations
)
SELECT
    count(DISTINCT media_item_id) FILTER (WHERE state = 'waiting') AS waiting,
    count(*) FILTER (WHERE state = 'conflict') AS conflicts,
    count(*) FILTER (WHERE state = 'refused') AS refused,
    extract(epoch FROM clock_timestamp() - min(requested_at) FILTER (WHERE state = 'waiting')) AS oldest_seconds
FROM everything
