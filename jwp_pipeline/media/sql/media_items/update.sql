-- Brings in step the items that are due and differ from what is listed, or come back. One that was withdrawn here
-- follows, too, and stays deleted.
UPDATE media_items AS item
SET ({fields}) = ROW ({proposed.fields}),
    updated_at = now(),
    deleted_at = CASE WHEN NOT proposed.is_restored THEN item.deleted_at END
FROM proposed_items AS proposed
WHERE item.id = proposed.item_id
    AND NOT proposed.is_new
    AND proposed.is_due
    AND (proposed.differs OR proposed.is_restored)
