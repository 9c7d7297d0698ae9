-- Locks those of the given items that nobody else is writing. To wait for the others would hold up all items, and could
-- make an application that edits two of them the victim of a deadlock.
SELECT id FROM media_items WHERE id = ANY (CAST(:item_ids AS text[])) FOR NO KEY UPDATE SKIP LOCKED
