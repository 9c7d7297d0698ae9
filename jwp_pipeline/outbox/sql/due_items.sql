-- The waiting edits of the given items, in the order of the items. The value of an edit that was in conflict or refused is
-- kept with the edit, because the item may not have it.
SELECT
    item.id AS item_id, videos.key, videos.acl_state, videos.had_acl, videos.sms_media_id, waiting.edits, waiting.tries,
    pushed_fields(item) AS present
FROM unnest(CAST(:item_ids AS text[])) WITH ORDINALITY AS in_line (item_id, place)
JOIN media_items AS item ON item.id = in_line.item_id AND item.deleted_at IS NULL
JOIN videos ON videos.media_item_id = item.id AND videos.deleted_at IS NULL
CROSS JOIN LATERAL (
    SELECT
        jsonb_agg(
            jsonb_build_object(
                'field', edited.field, 'number', edited.edit_number, 'base', edited.base,
                'base_updated', edited.base_updated, 'ours', edited.ours, 'attempted', edited.attempted
            ) ORDER BY edited.field
        ) AS edits,
        max(edited.tries) AS tries
    FROM item_updates AS edited
    WHERE edited.media_item_id = item.id AND edited.state <> 'pushed' AND edited.state = 'waiting'
) AS waiting
WHERE waiting.edits IS NOT NULL
ORDER BY in_line.place
