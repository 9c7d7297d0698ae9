-- Links new videos to the items that a push created them for, if the push was interrupted before it could do so. Such a
-- video is known by its key, or else by the id of the item among its custom properties. Of two, the smaller key counts.
UPDATE videos
SET media_item_id = found.media_item_id, awaits_listing = true
FROM (
    SELECT DISTINCT ON (creation.media_item_id) creation.media_item_id, mapped.key
    FROM item_creations AS creation
    CROSS JOIN mapped_videos AS mapped
    JOIN videos AS known ON known.key = mapped.key AND known.media_item_id IS NULL
    JOIN cached_resources AS cached ON cached.type = 'video' AND cached.key = mapped.key
    WHERE creation.state <> 'created'
        AND creation.asked_at IS NOT NULL
        AND coalesce(
            creation.key = mapped.key, position('"' || creation.media_item_id || '"' IN cached.data::text) > 0
        )
        AND NOT EXISTS (SELECT FROM videos AS linked WHERE linked.media_item_id = creation.media_item_id)
    ORDER BY creation.media_item_id, mapped.key COLLATE "C"
) AS found
WHERE videos.key = found.key
RETURNING videos.media_item_id
