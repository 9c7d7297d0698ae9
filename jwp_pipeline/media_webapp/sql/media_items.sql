-- Adds the media items with their view permission. An item without one is for nobody.
INSERT INTO media_items (
    id, title, description, type, duration, published_at, downloadable, language, copyright, tags, media_channel_id,
    view_is_public, view_is_signed_in, view_crsids, view_lookup_groups, view_lookup_insts, created_at, updated_at,
    deleted_at
)
SELECT
    item.id, item.title, item.description, item.type, item.duration, item.published_at, item.downloadable,
    item.language, item.copyright, item.tags, item.channel_id, coalesce(granted.is_public, false),
    coalesce(granted.is_signed_in, false), coalesce(granted.crsids, '{}'), coalesce(granted.lookup_groups, '{}'),
    coalesce(granted.lookup_insts, '{}'), item.created_at, item.updated_at, item.deleted_at
FROM webapp_items AS item
LEFT JOIN webapp_grants AS granted ON granted.kind = 'item' AND granted.subject = item.id
WHERE NOT EXISTS (SELECT FROM media_items AS known WHERE known.id = item.id)
