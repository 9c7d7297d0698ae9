-- Edits in conflict or refused, and new items whose video is refused, the oldest first.
SELECT stuck.media_item_id AS item_id, stuck.field, stuck.problem, stuck.ours, stuck.theirs, item.title,
    stuck.requested_at AS since
FROM item_updates AS stuck
JOIN media_items AS item ON item.id = stuck.media_item_id
WHERE stuck.state <> 'pushed' AND stuck.state = :state
UNION ALL
SELECT creation.media_item_id, 'video', creation.problem, NULL, NULL, item.title, creation.requested_at
FROM item_creations AS creation
JOIN media_items AS item ON item.id = creation.media_item_id
WHERE creation.state <> 'created' AND creation.state = :state
ORDER BY since, item_id, field
LIMIT :limit
