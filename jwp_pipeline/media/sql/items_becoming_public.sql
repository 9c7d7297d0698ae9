-- Items that were there, not public, and will be public after this sync.
SELECT item_id, title
FROM proposed_items
WHERE becomes_public AND (is_due OR :sync_all)
ORDER BY item_id
