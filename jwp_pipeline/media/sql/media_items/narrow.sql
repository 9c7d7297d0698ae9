-- Takes away the permissions that the ACL no longer grants from items that are not due.
UPDATE media_items AS item
SET ({view}) = ROW ({narrowed.view}), updated_at = now()
FROM proposed_items AS proposed
JOIN narrowed_permissions AS narrowed ON narrowed.key = proposed.key
WHERE item.id = proposed.item_id AND proposed.is_narrowed
