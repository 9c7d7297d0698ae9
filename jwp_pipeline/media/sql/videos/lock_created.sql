-- Locks the items whose videos are being created. Who edits such an item while it is linked does not see the link, and so
-- has to be finished before.
SELECT count(*)
FROM (
    SELECT
    FROM item_creations AS creation
    JOIN media_items AS item ON item.id = creation.media_item_id
    WHERE creation.state <> 'created' AND creation.asked_at IS NOT NULL
    ORDER BY item.id
    FOR NO KEY UPDATE OF item
) AS locked
