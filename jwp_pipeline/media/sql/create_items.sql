-- New items, in the channel that lists them where that is known already: moving them there afterwards would write
-- every one of them, and its index entries, a second time. What is claimed twice is settled by assign_items.
INSERT INTO media_items (
    id, title, description, type, duration, published_at, downloadable, language, copyright, tags,
    view_is_public, view_is_signed_in, view_crsids, view_lookup_groups, view_lookup_insts, media_channel_id
)
SELECT
    proposed.item_id, proposed.title, proposed.description, proposed.type, proposed.duration, proposed.published_at,
    proposed.downloadable, proposed.language, proposed.copyright, proposed.tags, proposed.view_is_public,
    proposed.view_is_signed_in, proposed.view_crsids, proposed.view_lookup_groups, proposed.view_lookup_insts,
    listed.media_channel_id
FROM proposed_items AS proposed
LEFT JOIN (
    SELECT DISTINCT ON (listed.id) listed.id, channels.media_channel_id
    FROM channels
    CROSS JOIN LATERAL unnest(channels.media_ids) AS listed (id)
    WHERE :with_channels AND channels.deleted_at IS NULL
    ORDER BY listed.id, channels.key COLLATE "C"
) AS listed ON listed.id = proposed.sms_media_id
WHERE proposed.is_new
