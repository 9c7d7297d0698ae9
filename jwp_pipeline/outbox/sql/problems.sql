-- Each conflict and each refusal as a problem of its video, with the values of both sides; and new items in trouble.
-- Nobody has to decide about items that were withdrawn, or whose video is gone, as long as that is so.
INSERT INTO found_problems (key, field, value, problem)
SELECT videos.key, stuck.field, left(stuck.ours #>> '{}', 500), stuck.problem
FROM item_updates AS stuck
JOIN media_items AS item ON item.id = stuck.media_item_id AND item.deleted_at IS NULL
JOIN videos ON videos.media_item_id = stuck.media_item_id AND videos.deleted_at IS NULL
WHERE stuck.state <> 'pushed' AND stuck.state IN ('conflict', 'refused')
UNION ALL
SELECT coalesce(creation.key, 'item ' || creation.media_item_id), 'video', item.title, creation.problem
FROM item_creations AS creation
JOIN media_items AS item ON item.id = creation.media_item_id AND item.deleted_at IS NULL
WHERE creation.problem IS NOT NULL AND creation.state <> 'waiting'
