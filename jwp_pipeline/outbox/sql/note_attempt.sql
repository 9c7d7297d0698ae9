-- Adds a value to those that JW Platform may have because a push set out to send it.
UPDATE item_updates
SET attempted = coalesce(attempted, '[]') || jsonb_build_array(CAST(:value AS jsonb))
WHERE media_item_id = :item_id AND field = :field AND state = 'waiting'
