-- The edits of some items, with the values of both sides where they differ, and the creation of their videos.
SELECT
    known.media_item_id AS item_id, known.field, known.state, known.problem, known.theirs, known.requested_at,
    known.pushed_at,
    coalesce(known.ours, pushed_fields(item) -> known.field) AS ours
FROM item_updates AS known
JOIN media_items AS item ON item.id = known.media_item_id
WHERE known.media_item_id = ANY (CAST(:item_ids AS text[]))
UNION ALL
SELECT
    creation.media_item_id, 'video', CASE creation.state WHEN 'created' THEN 'pushed' ELSE creation.state END,
    creation.problem, NULL, creation.requested_at, creation.created_at, NULL
FROM item_creations AS creation
WHERE creation.media_item_id = ANY (CAST(:item_ids AS text[]))
ORDER BY item_id, field
