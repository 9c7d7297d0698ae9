-- The items to narrow, which are locked: what each grants now, and what it was to keep.
SELECT proposed.key, {item.view}, {narrowed.view}
FROM proposed_items AS proposed
JOIN narrowed_permissions AS narrowed ON narrowed.key = proposed.key
JOIN media_items AS item ON item.id = proposed.item_id
WHERE proposed.is_narrowed
