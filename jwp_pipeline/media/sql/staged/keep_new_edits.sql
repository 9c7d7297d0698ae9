-- Leaves alone what was written after this sync had read it, now that the items are locked: what somebody edited, and what
-- a push wrote into a field that this sync does not change.
WITH new_edits AS (
    SELECT edited.media_item_id, array_agg(edited.field) AS fields
    FROM proposed_items AS proposed
    JOIN item_updates AS edited ON edited.media_item_id = proposed.item_id
    WHERE NOT proposed.is_new
        AND NOT EXISTS (
            SELECT FROM known_edits AS known
            WHERE known.media_item_id = edited.media_item_id
                AND known.field = edited.field AND known.edit_number = edited.edit_number
        )
    GROUP BY edited.media_item_id
),
written AS (
    SELECT proposed.key, coalesce(new_edits.fields, '{}') AS fields
    FROM proposed_items AS proposed
    JOIN media_items AS item ON item.id = proposed.item_id
    LEFT JOIN new_edits ON new_edits.media_item_id = item.id
    WHERE NOT proposed.is_new AND (new_edits.media_item_id IS NOT NULL OR item.xmin <> proposed.seen)
)
UPDATE proposed_items AS proposed
SET is_narrowed = proposed.is_narrowed AND 'view_permission' <> ALL (written.fields),
    becomes_public = proposed.becomes_public AND 'view_permission' <> ALL (written.fields),
    {kept edits}
FROM written
JOIN mapped_videos AS mapped ON mapped.key = written.key
JOIN videos ON videos.key = written.key
JOIN media_items AS item ON item.id = videos.media_item_id
WHERE proposed.key = written.key
