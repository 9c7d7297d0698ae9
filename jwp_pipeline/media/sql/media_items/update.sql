-- Brings items in step that are due and differ from their video or are restored. Items that were withdrawn here are
-- updated, too, but stay deleted.
UPDATE media_items AS item
SET ({fields}) = ROW ({proposed.fields}),
    updated_at = now(),
    deleted_at = CASE WHEN NOT proposed.is_restored THEN item.deleted_at END
FROM proposed_items AS proposed
WHERE item.id = proposed.item_id
    AND NOT proposed.is_new
    AND proposed.is_due
    AND (proposed.differs OR proposed.is_restored)
