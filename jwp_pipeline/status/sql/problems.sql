-- The open problems, by the part of the sync that found them and the type of the resource.
SELECT stage, type, count(*) AS problems
FROM sync_problems
WHERE resolved_at IS NULL
GROUP BY stage, type
ORDER BY stage, type
