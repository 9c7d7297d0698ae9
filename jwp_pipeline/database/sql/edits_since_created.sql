-- Records what was edited here since JW Platform was asked to create a video, for items that have just been linked to
-- theirs. Before that, nothing but the item itself holds such an edit; after that, a sync may have changed the item.
INSERT INTO item_updates (media_item_id, field, base, base_updated)
SELECT creation.media_item_id, sent.key, sent.value, videos.updated
FROM item_creations AS creation
JOIN videos ON videos.media_item_id = creation.media_item_id
JOIN media_items AS item ON item.id = creation.media_item_id
CROSS JOIN LATERAL jsonb_each(creation.sent) AS sent
JOIN LATERAL jsonb_each(pushed_fields(item)) AS present ON present.key = sent.key AND present.value <> sent.value
WHERE creation.state <> 'created' AND creation.media_item_id = ANY (CAST(:item_ids AS text[]))
ON CONFLICT (media_item_id, field) DO NOTHING
