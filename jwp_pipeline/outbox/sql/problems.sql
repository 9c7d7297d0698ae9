-- Each conflict and each refusal as a problem of its video, with the values of both sides; and new items in trouble.
INSERT INTO found_problems (key, field, value, problem)
SELECT videos.key, stuck.field, left(stuck.ours #>> '{}', 500), stuck.problem
FROM item_updates AS stuck
JOIN videos ON videos.media_item_id = stuck.media_item_id
WHERE stuck.state <> 'pushed' AND stuck.state IN ('conflict', 'refused')
UNION ALL
SELECT coalesce(creation.key, 'item ' || creation.media_item_id), 'video', item.title, creation.problem
FROM item_creations AS creation
JOIN media_items AS item ON item.id = creation.media_item_id
WHERE creation.problem IS NOT NULL AND creation.state <> 'waiting'
