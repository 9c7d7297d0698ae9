INSERT INTO media_items (
    id, title, description, type, duration, published_at, downloadable, language, copyright, tags,
    view_is_public, view_is_signed_in, view_crsids, view_lookup_groups, view_lookup_insts
)
SELECT
    item_id, title, description, type, duration, published_at, downloadable, language, copyright, tags,
    view_is_public, view_is_signed_in, view_crsids, view_lookup_groups, view_lookup_insts
FROM proposed_items
WHERE is_new
