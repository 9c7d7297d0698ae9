-- What the links must remember of the videos that were looked at: of those whose item was due the item, the stamp and
-- the claim to an SMS id; of the others whether the item waits for a newer stamp. One without an item is synchronised
-- by being looked at.
UPDATE videos
SET media_item_id = seen.media_item_id,
    updated = seen.updated,
    sms_media_id = seen.sms_media_id,
    sms_last_updated_at = seen.sms_last_updated_at,
    looked_at = seen.looked_at,
    waits = seen.waits
FROM (
    SELECT
        mapped.key,
        mapped.looked_at,
        CASE WHEN due.key IS NULL THEN known.media_item_id ELSE due.item_id END AS media_item_id,
        CASE
            WHEN due.is_restored THEN coalesce(due.listed, due.synchronised)
            WHEN due.key IS NOT NULL THEN greatest(due.listed, due.synchronised)
            WHEN known.media_item_id IS NULL THEN greatest(mapped.updated, known.updated)
            ELSE known.updated
        END AS updated,
        -- An id that cannot be read changes nothing about its SMS row.
        CASE WHEN due.key IS NULL OR due.keeps_sms_media_id THEN known.sms_media_id ELSE due.sms_media_id END
            AS sms_media_id,
        CASE
            WHEN due.key IS NULL OR due.keeps_sms_media_id OR due.keeps_sms_last_updated_at
                THEN known.sms_last_updated_at
            ELSE due.sms_last_updated_at
        END AS sms_last_updated_at,
        due.key IS NULL AND coalesce(proposed.differs OR proposed.sms_differs, false) AS waits
    FROM mapped_videos AS mapped
    JOIN videos AS known ON known.key = mapped.key
    LEFT JOIN proposed_items AS proposed ON proposed.key = mapped.key
    LEFT JOIN proposed_items AS due ON due.key = mapped.key AND (due.is_due OR :sync_all)
) AS seen
WHERE videos.key = seen.key
    AND (
        videos.media_item_id, videos.updated, videos.sms_media_id, videos.sms_last_updated_at, videos.looked_at,
        videos.waits
    ) IS DISTINCT FROM (
        seen.media_item_id, seen.updated, seen.sms_media_id, seen.sms_last_updated_at, seen.looked_at, seen.waits
    )
