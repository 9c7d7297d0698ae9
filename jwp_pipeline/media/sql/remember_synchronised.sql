-- What the links must remember of the items that were due: the stamp, the claim to an SMS id, the item.
UPDATE videos
SET media_item_id = due.item_id,
    updated = due.updated,
    sms_media_id = due.sms_media_id,
    sms_last_updated_at = due.sms_last_updated_at
FROM (
    SELECT
        proposed.key,
        proposed.item_id,
        CASE
            WHEN proposed.is_restored THEN coalesce(proposed.listed, proposed.synchronised)
            ELSE greatest(proposed.listed, proposed.synchronised)
        END AS updated,
        CASE WHEN proposed.keeps_sms_media_id THEN known.sms_media_id ELSE proposed.sms_media_id END AS sms_media_id,
        -- An id that cannot be read changes nothing about its SMS row.
        CASE
            WHEN proposed.keeps_sms_media_id OR proposed.keeps_sms_last_updated_at THEN known.sms_last_updated_at
            ELSE proposed.sms_last_updated_at
        END AS sms_last_updated_at
    FROM proposed_items AS proposed
    JOIN videos AS known ON known.key = proposed.key
    WHERE proposed.is_due OR :sync_all
) AS due
WHERE videos.key = due.key
    AND (videos.media_item_id, videos.updated, videos.sms_media_id, videos.sms_last_updated_at)
        IS DISTINCT FROM (due.item_id, due.updated, due.sms_media_id, due.sms_last_updated_at)
