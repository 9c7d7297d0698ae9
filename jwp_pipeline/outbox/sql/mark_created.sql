-- Ends the creation of an item's video. Of the problems, only that JW Platform has duplicates remains.
UPDATE item_creations
SET state = 'created',
    key = :key,
    tries = 0,
    next_try_at = NULL,
    problem = CASE WHEN key IS NOT NULL AND tries = 0 THEN problem END,
    created_at = clock_timestamp()
WHERE media_item_id = :item_id
RETURNING extract(epoch FROM created_at - requested_at)
