-- Links the video that a push created to its item. The next listing that shows it brings what JW Platform adds.
INSERT INTO videos AS known (
    key, updated, media_item_id, wants_item, had_acl, acl_state, mapped_version, pushed_updated, pushed_at,
    awaits_listing
)
SELECT :key, :updated, :item_id, :wants_item, true, 'read', cached.updated_at, :updated, clock_timestamp(), true
FROM cached_resources AS cached
WHERE cached.type = 'video' AND cached.key = :key
ON CONFLICT (key) DO UPDATE
SET media_item_id = excluded.media_item_id,
    updated = greatest(known.updated, excluded.updated),
    pushed_updated = excluded.pushed_updated,
    pushed_at = excluded.pushed_at,
    awaits_listing = true
WHERE known.media_item_id IS NULL
