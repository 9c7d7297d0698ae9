-- Leaves alone what somebody edited after this sync had read which fields are edited.
WITH edited AS (
    SELECT proposed.key, array_agg(edited.field) AS fields
    FROM proposed_items AS proposed
    JOIN item_updates AS edited ON edited.media_item_id = proposed.item_id
    WHERE NOT proposed.is_new
        AND NOT EXISTS (
            SELECT FROM known_edits AS known
            WHERE known.media_item_id = edited.media_item_id
                AND known.field = edited.field AND known.edit_number = edited.edit_number
        )
    GROUP BY proposed.key
),
not_narrowed AS (
    DELETE FROM narrowed_permissions AS narrowed
    USING edited
    WHERE narrowed.key = edited.key AND 'view_permission' = ANY (edited.fields)
)
UPDATE proposed_items AS proposed
SET is_narrowed = proposed.is_narrowed AND 'view_permission' <> ALL (edited.fields),
    becomes_public = proposed.becomes_public AND 'view_permission' <> ALL (edited.fields),
    {kept edits}
FROM edited
JOIN videos ON videos.key = edited.key
JOIN media_items AS item ON item.id = videos.media_item_id
WHERE proposed.key = edited.key
