-- Adds the links of the videos. If a link's stamp is higher than that of the cached video, media-webapp has pushed an
-- edit since its last listing. The cached video is then older than the item, and must not undo the edit.
INSERT INTO videos (
    key, updated, media_item_id, sms_media_id, sms_last_updated_at, mapped_version, pushed_updated, pushed_at, deleted_at
)
SELECT
    video.key, video.updated, video.item_id, sms.id, sms.last_updated_at, 'epoch',
    CASE WHEN item.id IS NOT NULL AND video.updated > stamp.cached THEN stamp.cached + 1 END,
    CASE WHEN item.id IS NOT NULL AND video.updated > stamp.cached THEN item.updated_at END,
    CASE WHEN resource.type IN ('video', '') THEN resource.deleted_at ELSE now() END
FROM webapp_videos AS video
JOIN webapp_resources AS resource ON resource.key = video.key
LEFT JOIN webapp_items AS item ON item.id = video.item_id
LEFT JOIN webapp_sms_items AS sms ON sms.item_id = video.item_id
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN resource.data ->> 'updated' ~ '^[0-9]{1,18}$' THEN CAST(resource.data ->> 'updated' AS bigint)
        WHEN resource.data ->> 'updated' IS NULL THEN 0
    END AS cached
) AS stamp
WHERE NOT EXISTS (SELECT FROM videos AS known WHERE known.key = video.key)
