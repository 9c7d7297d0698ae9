-- Each mapped video beside its item: what the item would become, and whether it is time for it (semantics §2).
CREATE TEMPORARY TABLE proposed_items ON COMMIT DROP AS
SELECT
    mapped.key,
    mapped.sms_media_id,
    coalesce(item.id, mapped.new_item_id) AS item_id,
    item.id IS NULL AS is_new,
    item.deleted_at IS NOT NULL AS is_restored,
    :sync_all
        OR item.id IS NULL
        OR item.deleted_at IS NOT NULL
        OR videos.returned
        OR coalesce(mapped.updated > videos.updated, false)
        -- What cannot be read grants nothing, and does not wait for a newer stamp to do so.
        OR mapped.acl_is_unreadable AND (
            item.view_is_public, item.view_is_signed_in, item.view_crsids, item.view_lookup_groups,
            item.view_lookup_insts
        ) IS DISTINCT FROM (
            mapped.view_is_public, mapped.view_is_signed_in, mapped.view_crsids, mapped.view_lookup_groups,
            mapped.view_lookup_insts
        ) AS is_due,
    item.view_is_public IS FALSE AND mapped.view_is_public AS becomes_public,
    coalesce(mapped.title, item.title, '') AS title,
    coalesce(mapped.description, item.description, '') AS description,
    coalesce(mapped.type, item.type, 'unknown') AS type,
    coalesce(mapped.duration, item.duration, 0) AS duration,
    coalesce(mapped.published_at, item.published_at, now()) AS published_at,
    coalesce(mapped.downloadable, item.downloadable, false) AS downloadable,
    coalesce(mapped.language, item.language, '') AS language,
    coalesce(mapped.copyright, item.copyright, '') AS copyright,
    coalesce(mapped.tags, item.tags, '{}') AS tags,
    mapped.view_is_public,
    mapped.view_is_signed_in,
    mapped.view_crsids,
    mapped.view_lookup_groups,
    mapped.view_lookup_insts,
    item.id IS NOT NULL AND (
        item.title, item.description, item.type, item.duration, item.published_at, item.downloadable, item.language,
        item.copyright, item.tags, item.view_is_public, item.view_is_signed_in, item.view_crsids,
        item.view_lookup_groups, item.view_lookup_insts
    ) IS DISTINCT FROM (
        coalesce(mapped.title, item.title), coalesce(mapped.description, item.description),
        coalesce(mapped.type, item.type), coalesce(mapped.duration, item.duration),
        coalesce(mapped.published_at, item.published_at), coalesce(mapped.downloadable, item.downloadable),
        coalesce(mapped.language, item.language), coalesce(mapped.copyright, item.copyright),
        coalesce(mapped.tags, item.tags), mapped.view_is_public, mapped.view_is_signed_in, mapped.view_crsids,
        mapped.view_lookup_groups, mapped.view_lookup_insts
    ) AS differs,
    item.id IS NOT NULL AND NOT mapped.keeps_sms_media_id AND (
        mapped.sms_media_id IS DISTINCT FROM videos.sms_media_id
        OR NOT mapped.keeps_sms_last_updated_at
            AND mapped.sms_last_updated_at IS DISTINCT FROM videos.sms_last_updated_at
    ) AS sms_differs
FROM mapped_videos AS mapped
JOIN videos ON videos.key = mapped.key
LEFT JOIN media_items AS item ON item.id = videos.media_item_id
WHERE item.id IS NOT NULL OR mapped.wants_item
