-- Lets edits that were made on the video as a push found it, while it was on its way, be based on what the push made of
-- it: that the stamp has moved was our own doing.
UPDATE item_updates
SET base_updated = :updated
WHERE media_item_id = :item_id AND state = 'waiting' AND base_updated = :shown
