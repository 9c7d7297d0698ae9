-- Records that JW Platform has the value of a field. An edit that was made meanwhile stays, and is now based on it.
UPDATE item_updates
SET state = CASE WHEN edit_number = :number THEN 'pushed' ELSE state END,
    base = CASE WHEN edit_number = :number THEN base ELSE CAST(:value AS jsonb) END,
    base_updated = CASE WHEN edit_number = :number THEN base_updated ELSE :updated END,
    pushed_at = clock_timestamp(),
    tries = 0,
    next_try_at = NULL,
    problem = NULL,
    ours = NULL,
    theirs = NULL,
    attempted = NULL
WHERE media_item_id = :item_id AND field = :field AND state = 'waiting'
RETURNING state, extract(epoch FROM pushed_at - requested_at) AS seconds
