-- What a push would try now: the items with edits that are due, and the new items.
SELECT edited.items, edited.newest, made.new_items, made.newest_item
FROM (
    SELECT count(*) AS items, max(newest) AS newest
    FROM (
        SELECT max(waiting.edit_number) AS newest
        FROM item_updates AS waiting
        JOIN media_items AS item ON item.id = waiting.media_item_id AND item.deleted_at IS NULL
        JOIN videos ON videos.media_item_id = item.id AND videos.deleted_at IS NULL
        WHERE waiting.state <> 'pushed' AND waiting.state = 'waiting'
        GROUP BY waiting.media_item_id
        HAVING bool_and(coalesce(waiting.next_try_at <= clock_timestamp(), true))
    ) AS due
) AS edited
CROSS JOIN (
    SELECT count(*) AS new_items, max(creation.requested_at) AS newest_item
    FROM item_creations AS creation
    JOIN media_items AS item ON item.id = creation.media_item_id AND item.deleted_at IS NULL
    WHERE creation.state <> 'created' AND creation.state = 'waiting'
        AND coalesce(creation.next_try_at <= clock_timestamp(), true)
) AS made
