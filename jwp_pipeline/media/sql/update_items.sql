UPDATE media_items AS item
SET title = proposed.title,
    description = proposed.description,
    type = proposed.type,
    duration = proposed.duration,
    published_at = proposed.published_at,
    downloadable = proposed.downloadable,
    language = proposed.language,
    copyright = proposed.copyright,
    tags = proposed.tags,
    view_is_public = proposed.view_is_public,
    view_is_signed_in = proposed.view_is_signed_in,
    view_crsids = proposed.view_crsids,
    view_lookup_groups = proposed.view_lookup_groups,
    view_lookup_insts = proposed.view_lookup_insts,
    updated_at = now(),
    deleted_at = NULL
FROM proposed_items AS proposed
WHERE item.id = proposed.item_id
    AND NOT proposed.is_new
    AND proposed.is_due
    AND (proposed.differs OR proposed.is_restored)
