-- Drops an edit that is stuck.
DELETE FROM item_updates
WHERE media_item_id = :item_id AND field = :field AND state IN ('conflict', 'refused')
RETURNING theirs
