-- Lets the video of a new item be created after a refusal.
UPDATE item_creations
SET state = 'waiting', tries = 0, next_try_at = NULL, problem = NULL
WHERE media_item_id = :item_id AND state = 'refused'
