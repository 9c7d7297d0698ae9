-- Notes a problem for each playlist whose members could not be read, in this sync or an earlier one. The problem lasts
-- until the members are read or are no longer needed.
INSERT INTO found_problems (key, field, value, problem)
SELECT known.key, 'members', '', known.problem
FROM playlist_members AS known
JOIN channels ON channels.key = known.key
WHERE known.problem IS NOT NULL AND channels.deleted_at IS NULL AND channels.media_ids IS NULL
