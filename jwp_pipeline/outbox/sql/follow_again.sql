-- Lets the next sync follow the video, even if its `updated` is not newer: it may have changed since it was compared.
UPDATE videos SET awaits_listing = true WHERE media_item_id = :item_id
