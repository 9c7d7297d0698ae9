-- Compares each mapped video with its item. A row holds the values that the item gets when it is due, whether it is due
-- (semantics §2.2), and whether it has to wait for some of them.
CREATE TEMPORARY TABLE proposed_items ON COMMIT DROP AS
SELECT
    mapped.key,
    mapped.sms_media_id,
    coalesce(item.id, mapped.new_item_id) AS item_id,
    item.xmin AS seen,
    item.id IS NULL AS is_new,
    stands.is_restored,
    item.deleted_at IS NOT NULL AND NOT stands.is_restored AS is_withdrawn,
    stands.is_due,
    {listed.fields},
    item.id IS NOT NULL AND ({item.fields}) IS DISTINCT FROM ({listed.fields}) AS differs,
    NOT stands.is_due AND narrowed.key IS NOT NULL AS is_narrowed,
    NOT stands.is_due AND (
        ({item.content}) IS DISTINCT FROM ({listed.content})
        OR ({kept.view}) IS DISTINCT FROM ({listed.view})
        OR NOT mapped.keeps_sms_media_id AND (
            mapped.sms_media_id IS DISTINCT FROM videos.sms_media_id
            OR NOT mapped.keeps_sms_last_updated_at
                AND mapped.sms_last_updated_at IS DISTINCT FROM videos.sms_last_updated_at
        )
    ) AS waits,
    stands.is_due AND item.view_is_public IS FALSE AND listed.view_is_public AS becomes_public,
    hash_record_extended(CASE WHEN stands.is_due THEN ROW ({listed.view}) ELSE ROW ({kept.view}) END, 0) AS view_digest
FROM mapped_videos AS mapped
LEFT JOIN videos ON videos.key = mapped.key
LEFT JOIN media_items AS item ON item.id = videos.media_item_id
LEFT JOIN narrowed_permissions AS narrowed ON narrowed.key = mapped.key
CROSS JOIN LATERAL (SELECT {listed fields}) AS listed
CROSS JOIN LATERAL (SELECT {narrowed view}) AS kept
CROSS JOIN LATERAL (
    SELECT
        -- The item was deleted by the sync, and not by somebody here.
        coalesce(item.deleted_at = videos.item_deleted_at, false) AS is_restored,
        :sync_all
            OR item.id IS NULL
            OR coalesce(item.deleted_at = videos.item_deleted_at, false)
            OR videos.reappeared
            OR coalesce(mapped.updated > videos.updated, false)
            -- The first listing that is as new as a push brings what others changed at JW Platform before it.
            OR mapped.follows_push
            AS is_due
) AS stands
WHERE item.id IS NOT NULL OR mapped.wants_item
