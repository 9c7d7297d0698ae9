-- Some edits were made while a push was under way, and are based on the stamp that the video had before it. They get the
-- stamp that the push has given to the video, because otherwise our own change would look like somebody else's.
UPDATE item_updates
SET base_updated = :updated
WHERE media_item_id = :item_id AND state = 'waiting' AND base_updated = :shown
