-- Existing items that were not public before this sync and are public after it: their number, and the first of them.
SELECT item_id, left(title, 200) AS title, count(*) OVER () AS found
FROM proposed_items
WHERE becomes_public
ORDER BY item_id
LIMIT 20
