-- The edits of some items, with the values of both sides where they differ.
SELECT
    known.media_item_id AS item_id, known.field, known.state, known.problem, known.theirs, known.requested_at,
    known.pushed_at,
    coalesce(known.ours, pushed_fields(item) -> known.field) AS ours
FROM item_updates AS known
JOIN media_items AS item ON item.id = known.media_item_id
WHERE known.media_item_id = ANY (CAST(:item_ids AS text[]))
ORDER BY known.media_item_id, known.field
