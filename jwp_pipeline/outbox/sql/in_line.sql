-- The items whose edits are pushed next. One half are the items that have waited longest, and the other half are the
-- items that were edited last, so that a single edit does not wait for hours behind a bulk edit of thousands of items. An
-- item that has failed comes after all that failed less often, so that it never holds them up. If one edit of an item has
-- to wait for its next try, the whole item waits.
WITH due AS (
    SELECT
        edited.media_item_id,
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
        media_item_id AS item_id,
        row_number() OVER (ORDER BY tries, requested_at, media_item_id) AS from_the_oldest,
        row_number() OVER (ORDER BY tries, newest DESC) AS from_the_newest
    FROM due
)
SELECT item_id
FROM in_line
WHERE from_the_oldest <= (:limit + 1) / 2 OR from_the_newest <= :limit / 2
ORDER BY least(from_the_oldest, from_the_newest), from_the_oldest
