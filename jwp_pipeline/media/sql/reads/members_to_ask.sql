-- Live cached channels whose own members are not known as they now stand. Those with a problem come last, and none of
-- them always before the others.
SELECT cached.key, cached.data, cached.updated_at
FROM cached_resources AS cached
LEFT JOIN playlist_members AS known ON known.key = cached.key
WHERE cached.type = 'channel' AND cached.deleted_at IS NULL AND known.members_at IS DISTINCT FROM cached.updated_at
ORDER BY known.problem IS NOT NULL, random()
