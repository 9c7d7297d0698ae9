-- Notes playlists whose members could not be read, in whatever sync that was. A problem lasts
-- until the members are read, or nobody needs them any more.
INSERT INTO found_problems (key, field, value, problem)
SELECT known.key, 'members', '', known.problem
FROM playlist_members AS known
JOIN channels ON channels.key = known.key
WHERE known.problem IS NOT NULL AND channels.deleted_at IS NULL AND channels.media_ids IS NULL
