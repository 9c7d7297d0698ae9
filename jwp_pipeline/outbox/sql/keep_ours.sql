-- Lets an edit that is stuck be pushed over what JW Platform has. After a refusal it may be unknown what that is.
UPDATE item_updates
SET state = 'waiting',
    base = CASE WHEN state = 'conflict' THEN theirs ELSE coalesce(theirs, base) END,
    edit_number = nextval('edit_numbers'),
    tries = 0,
    next_try_at = NULL,
    problem = NULL
WHERE media_item_id = :item_id AND field = :field AND state IN ('conflict', 'refused')
