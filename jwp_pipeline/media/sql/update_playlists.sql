UPDATE playlists AS playlist
SET title = proposed.title,
    description = proposed.description,
    media_item_ids = proposed.media_item_ids,
    updated_at = now(),
    deleted_at = NULL
FROM proposed_playlists AS proposed
JOIN playlists AS known ON known.media_channel_id = proposed.media_channel_id
WHERE playlist.id = known.id
    AND (
        known.deleted_at IS NOT NULL
        OR (known.title, known.description, known.media_item_ids)
            IS DISTINCT FROM (proposed.title, proposed.description, proposed.media_item_ids)
    )
