-- Locks those of these items that nobody else is writing. Whoever waited for the others here would hold them all up, and
-- would let an application that edits two of these items run into a deadlock.
SELECT id FROM media_items WHERE id = ANY (CAST(:item_ids AS text[])) FOR NO KEY UPDATE SKIP LOCKED
