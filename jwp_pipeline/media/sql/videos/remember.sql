-- Stores what the links must remember about the videos that were read. If the item was due, these are the item, the
-- stamp and the claim to an SMS id, and otherwise whether the item waits for a newer stamp. A video without an item
-- counts as synchronised once it is read. A push may have moved the stamp and its marks a moment ago, so those are
-- compared with the row as it is.
UPDATE videos
SET media_item_id = seen.media_item_id,
    updated = CASE WHEN seen.restarts THEN seen.updated ELSE greatest(videos.updated, seen.updated) END,
    awaits_listing = videos.awaits_listing AND NOT (seen.follows AND seen.pushed_at IS NOT DISTINCT FROM videos.pushed_at),
    sms_media_id = seen.sms_media_id,
    sms_last_updated_at = seen.sms_last_updated_at,
    mapped_version = seen.mapped_version,
    needs_full_sync = seen.needs_full_sync,
    wants_item = seen.wants_item,
    reappeared = false,
    had_acl = seen.had_acl,
    acl_state = seen.acl_state,
    view_digest = seen.view_digest
FROM (
    SELECT
        mapped.key,
        mapped.mapped_version,
        CASE WHEN proposed.is_due THEN proposed.item_id ELSE known.media_item_id END AS media_item_id,
        coalesce(known.reappeared OR proposed.is_restored OR known.mapped_version IS NULL, false) AS restarts,
        mapped.follows_push AND coalesce(proposed.is_due OR known.media_item_id IS NULL, false) AS follows,
        mapped.pushed_at,
        CASE
            -- The stamp starts again after an absence, and if the video was never synchronised.
            WHEN known.reappeared OR proposed.is_restored OR known.mapped_version IS NULL
                THEN coalesce(mapped.updated, known.updated)
            WHEN proposed.is_due OR known.media_item_id IS NULL THEN greatest(mapped.updated, known.updated)
            ELSE known.updated
        END AS updated,
        -- An SMS id that cannot be read leaves its SMS row as it is.
        CASE WHEN proposed.is_due AND NOT mapped.keeps_sms_media_id THEN mapped.sms_media_id ELSE known.sms_media_id END
            AS sms_media_id,
        CASE
            WHEN proposed.is_due AND NOT mapped.keeps_sms_media_id AND NOT mapped.keeps_sms_last_updated_at
                THEN mapped.sms_last_updated_at
            ELSE known.sms_last_updated_at
        END AS sms_last_updated_at,
        coalesce(proposed.waits, false) AS needs_full_sync,
        mapped.wants_item,
        known.had_acl OR mapped.acl_state <> 'absent' AS had_acl,
        mapped.acl_state,
        CASE WHEN :strict_acls THEN proposed.view_digest END AS view_digest
    FROM mapped_videos AS mapped
    JOIN videos AS known ON known.key = mapped.key
    LEFT JOIN proposed_items AS proposed ON proposed.key = mapped.key
) AS seen
WHERE videos.key = seen.key
    AND (
        videos.media_item_id, videos.updated, videos.sms_media_id, videos.sms_last_updated_at, videos.mapped_version,
        videos.needs_full_sync, videos.wants_item, videos.reappeared, videos.had_acl, videos.acl_state,
        videos.view_digest, videos.awaits_listing
    ) IS DISTINCT FROM (
        seen.media_item_id, seen.updated, seen.sms_media_id, seen.sms_last_updated_at, seen.mapped_version,
        seen.needs_full_sync, seen.wants_item, false, seen.had_acl, seen.acl_state,
        seen.view_digest,
        videos.awaits_listing AND NOT (seen.follows AND seen.pushed_at IS NOT DISTINCT FROM videos.pushed_at)
    )
