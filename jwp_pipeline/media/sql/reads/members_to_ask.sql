-- Live cached channels that changed since their own members were last read, or whose members were never read. Those that
-- are known to list SMS ids instead are left out. Channels with a problem come last. The order is random, so that none of
-- them is always asked before the others.
SELECT cached.key, cached.data, cached.updated_at
FROM cached_resources AS cached
LEFT JOIN playlist_members AS known ON known.key = cached.key
LEFT JOIN channels ON channels.key = cached.key AND channels.mapped_version = cached.updated_at
WHERE cached.type = 'channel' AND cached.deleted_at IS NULL AND known.members_at IS DISTINCT FROM cached.updated_at
    AND channels.media_ids IS NULL
ORDER BY known.problem IS NOT NULL, random()
