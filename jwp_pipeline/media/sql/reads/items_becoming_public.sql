-- Items that were there, not public, and are public after this sync: how many, and the first of them.
SELECT item_id, left(title, 200) AS title, count(*) OVER () AS found
FROM proposed_items
WHERE becomes_public
ORDER BY item_id
LIMIT 20
