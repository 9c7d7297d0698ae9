-- Takes from items that are not due what their ACL does not grant.
UPDATE media_items AS item
SET ({view}) = ROW ({narrowed.view}), updated_at = now()
FROM proposed_items AS proposed
JOIN narrowed_permissions AS narrowed ON narrowed.key = proposed.key
WHERE item.id = proposed.item_id AND proposed.is_narrowed
