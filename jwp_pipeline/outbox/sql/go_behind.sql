-- Puts an item behind those that were tried less often. It gets no problem and does not have to wait. The count is
-- limited, because it also decides how long to wait after a failure.
UPDATE item_updates
SET tries = greatest(tries, least(tries + 1, 4))
WHERE media_item_id = :item_id AND state = 'waiting'
