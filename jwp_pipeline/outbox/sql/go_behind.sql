-- Lets an item go behind those that were tried less often, without a problem of its own and without a wait. The count is
-- bounded, because it also says how long to wait after a failure.
UPDATE item_updates
SET tries = greatest(tries, least(tries + 1, 4))
WHERE media_item_id = :item_id AND state = 'waiting'
