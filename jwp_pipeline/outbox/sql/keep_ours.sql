-- Lets an edit that is stuck be pushed over what JW Platform has.
UPDATE item_updates
SET state = 'waiting',
    base = theirs,
    edit_number = nextval('edit_numbers'),
    tries = 0,
    next_try_at = NULL,
    problem = NULL
WHERE media_item_id = :item_id AND field = :field AND state IN ('conflict', 'refused')
