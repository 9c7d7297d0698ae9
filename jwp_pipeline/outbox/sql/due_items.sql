-- Items with edits to push, in the order of their first edits. An item waits as a whole while one of its edits does. The
-- value of an edit that was in conflict or refused is kept with the edit, because the item may not have it.
SELECT
    due.media_item_id AS item_id, videos.key, videos.acl_state, videos.had_acl, videos.sms_media_id, due.edits, due.tries,
    due.requested_at,
    pushed_fields(item) AS present
FROM (
    SELECT
        media_item_id,
        jsonb_agg(
            jsonb_build_object(
                'field', field, 'number', edit_number, 'base', base, 'base_updated', base_updated, 'ours', ours,
                'attempted', attempted
            ) ORDER BY field
        ) AS edits,
        max(tries) AS tries,
        min(requested_at) AS requested_at
    FROM item_updates
    WHERE state <> 'pushed' AND state = 'waiting'
    GROUP BY media_item_id
    HAVING :early OR bool_and(coalesce(next_try_at <= clock_timestamp(), true))
) AS due
JOIN media_items AS item ON item.id = due.media_item_id AND item.deleted_at IS NULL
JOIN videos ON videos.media_item_id = due.media_item_id AND videos.deleted_at IS NULL
WHERE due.media_item_id <> ALL (CAST(:seen AS text[]))
ORDER BY due.requested_at, due.media_item_id
LIMIT :limit
