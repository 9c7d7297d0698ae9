-- Locks the items whose videos may be among those that were read. Who edits such an item while it is linked does not see
-- the link, and so has to be finished before. Without a video to link, no row is locked, because a lock is a write.
SELECT count(*)
FROM (
    SELECT
    FROM item_creations AS creation
    JOIN media_items AS item ON item.id = creation.media_item_id
    WHERE creation.state <> 'created'
        AND creation.asked_at IS NOT NULL
        AND NOT EXISTS (SELECT FROM videos AS linked WHERE linked.media_item_id = creation.media_item_id)
        AND EXISTS (
            SELECT FROM mapped_videos AS mapped
            JOIN videos AS known ON known.key = mapped.key AND known.media_item_id IS NULL
        )
    ORDER BY item.id
    FOR NO KEY UPDATE OF item
) AS locked
