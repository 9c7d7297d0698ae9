-- Ends the creation of an item's video.
UPDATE item_creations
SET state = 'created', key = :key, tries = 0, next_try_at = NULL, created_at = clock_timestamp()
WHERE media_item_id = :item_id
RETURNING extract(epoch FROM created_at - requested_at)
