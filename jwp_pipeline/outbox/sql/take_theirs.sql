-- Drops an edit that is stuck. Returns JW Platform's value, and the one that the item has.
DELETE FROM item_updates AS edited
USING media_items AS item
WHERE item.id = edited.media_item_id
    AND edited.media_item_id = :item_id AND edited.field = :field AND edited.state IN ('conflict', 'refused')
RETURNING edited.theirs, pushed_fields(item) -> edited.field AS granted
