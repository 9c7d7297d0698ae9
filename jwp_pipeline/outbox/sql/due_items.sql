-- Items with edits to push. Half of them are those that have waited longest, and the other half those that were edited
-- last, so that one edit does not wait for hours behind a bulk edit of thousands of items. An item waits as a whole
-- while one of its edits does. The value of an edit that was in conflict or refused is kept with the edit, because the
-- item may not have it.
WITH due AS (
    SELECT
        edited.media_item_id,
        jsonb_agg(
            jsonb_build_object(
                'field', edited.field, 'number', edited.edit_number, 'base', edited.base,
                'base_updated', edited.base_updated, 'ours', edited.ours, 'attempted', edited.attempted
            ) ORDER BY edited.field
        ) AS edits,
        max(edited.tries) AS tries,
        min(edited.requested_at) AS requested_at,
        max(edited.edit_number) AS newest
    FROM item_updates AS edited
    JOIN media_items AS item ON item.id = edited.media_item_id AND item.deleted_at IS NULL
    JOIN videos ON videos.media_item_id = edited.media_item_id AND videos.deleted_at IS NULL
    WHERE edited.state <> 'pushed' AND edited.state = 'waiting'
        AND edited.media_item_id <> ALL (CAST(:seen AS text[]))
    GROUP BY edited.media_item_id
    HAVING :early OR bool_and(coalesce(edited.next_try_at <= clock_timestamp(), true))
),
in_line AS (
    SELECT
        due.*,
        row_number() OVER (ORDER BY requested_at, media_item_id) AS from_the_oldest,
        row_number() OVER (ORDER BY newest DESC) AS from_the_newest
    FROM due
)
SELECT
    in_line.media_item_id AS item_id, videos.key, videos.acl_state, videos.had_acl, videos.sms_media_id, in_line.edits,
    in_line.tries,
    pushed_fields(item) AS present
FROM in_line
JOIN media_items AS item ON item.id = in_line.media_item_id
JOIN videos ON videos.media_item_id = in_line.media_item_id
WHERE in_line.from_the_oldest <= (:limit + 1) / 2 OR in_line.from_the_newest <= :limit / 2
ORDER BY least(in_line.from_the_oldest, in_line.from_the_newest), in_line.from_the_oldest
