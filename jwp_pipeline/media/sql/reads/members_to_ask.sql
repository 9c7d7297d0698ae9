-- Live cached channels that changed since their own members were last read, or whose members were never read. Channels
-- with a problem come last. The order is random, so that none of them is always asked before the others.
SELECT cached.key, cached.data, cached.updated_at
FROM cached_resources AS cached
LEFT JOIN playlist_members AS known ON known.key = cached.key
WHERE cached.type = 'channel' AND cached.deleted_at IS NULL AND known.members_at IS DISTINCT FROM cached.updated_at
ORDER BY known.problem IS NOT NULL, random()
