-- Locks the items that this sync is about to change, so that nobody edits them before it does. Where edits do not go back,
-- JW Platform decides, and only those are locked that keep a part of what they grant.
SELECT count(*)
FROM (
    SELECT
    FROM media_items AS item
    JOIN proposed_items AS proposed ON proposed.item_id = item.id
    WHERE NOT proposed.is_new
        AND (:pushes_edits AND proposed.is_due AND (proposed.differs OR proposed.is_restored) OR proposed.is_narrowed)
    ORDER BY item.id
    FOR NO KEY UPDATE OF item
) AS locked
