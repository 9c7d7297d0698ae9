-- Records what was edited here since JW Platform was asked to create a video, for items that have just been linked to
-- theirs. Before that, nothing but the item itself holds such an edit; after that, a sync may have changed the item.
-- If JW Platform was asked several times, the video may have the values of any of these calls, so each value that was
-- sent counts as sent by us, and a field that differs from one of them is an edit.
INSERT INTO item_updates (media_item_id, field, base, base_updated, attempted)
SELECT
    creation.media_item_id, sent.key, (array_agg(sent.value ORDER BY asked.number))[1], videos.updated,
    jsonb_agg(DISTINCT sent.value)
FROM item_creations AS creation
JOIN videos ON videos.media_item_id = creation.media_item_id
JOIN media_items AS item ON item.id = creation.media_item_id
-- Earlier versions stored the values of one call, and not a list of them.
CROSS JOIN LATERAL jsonb_array_elements(
    CASE jsonb_typeof(creation.sent)
        WHEN 'array' THEN creation.sent
        WHEN 'object' THEN jsonb_build_array(creation.sent)
    END
) WITH ORDINALITY AS asked (sent, number)
CROSS JOIN LATERAL jsonb_each(asked.sent) AS sent
JOIN LATERAL jsonb_each(pushed_fields(item)) AS present ON present.key = sent.key
WHERE creation.state <> 'created' AND creation.media_item_id = ANY (CAST(:item_ids AS text[]))
GROUP BY creation.media_item_id, sent.key, videos.updated
HAVING bool_or(present.value <> sent.value)
ON CONFLICT (media_item_id, field) DO NOTHING
