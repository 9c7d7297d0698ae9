-- Drops an edit that was decided for JW Platform's value. Writing that value has recorded an edit as well, unless the
-- role is the pipeline's.
DELETE FROM item_updates WHERE media_item_id = :item_id AND field = :field
