-- What the links must remember of the videos that were looked at: of those whose item was due the item, the stamp and
-- the claim to an SMS id; of the others whether the item waits for a newer stamp. One without an item is synchronised
-- by being looked at.
UPDATE videos
SET media_item_id = seen.media_item_id,
    updated = seen.updated,
    sms_media_id = seen.sms_media_id,
    sms_last_updated_at = seen.sms_last_updated_at,
    looked_at = seen.looked_at,
    waits = seen.waits,
    wants_item = seen.wants_item,
    returned = false
FROM (
    SELECT
        mapped.key,
        mapped.looked_at,
        CASE WHEN proposed.is_due THEN proposed.item_id ELSE known.media_item_id END AS media_item_id,
        CASE
            -- It starts anew after an absence, and where nothing was ever synchronised.
            WHEN known.returned OR proposed.is_restored OR known.looked_at IS NULL
                THEN coalesce(mapped.updated, known.updated)
            WHEN proposed.is_due OR known.media_item_id IS NULL THEN greatest(mapped.updated, known.updated)
            ELSE known.updated
        END AS updated,
        -- An id that cannot be read changes nothing about its SMS row.
        CASE WHEN proposed.is_due AND NOT mapped.keeps_sms_media_id THEN mapped.sms_media_id ELSE known.sms_media_id END
            AS sms_media_id,
        CASE
            WHEN proposed.is_due AND NOT mapped.keeps_sms_media_id AND NOT mapped.keeps_sms_last_updated_at
                THEN mapped.sms_last_updated_at
            ELSE known.sms_last_updated_at
        END AS sms_last_updated_at,
        coalesce(NOT proposed.is_due AND (proposed.differs OR proposed.sms_differs), false) AS waits,
        mapped.wants_item
    FROM mapped_videos AS mapped
    JOIN videos AS known ON known.key = mapped.key
    LEFT JOIN proposed_items AS proposed ON proposed.key = mapped.key
) AS seen
WHERE videos.key = seen.key
    AND (
        videos.media_item_id, videos.updated, videos.sms_media_id, videos.sms_last_updated_at, videos.looked_at,
        videos.waits, videos.wants_item, videos.returned
    ) IS DISTINCT FROM (
        seen.media_item_id, seen.updated, seen.sms_media_id, seen.sms_last_updated_at, seen.looked_at,
        seen.waits, seen.wants_item, false
    )
