-- Every n-th key of the live rows of a type, in the order in which v2 compares ids.
SELECT key
FROM (
    SELECT key, row_number() OVER (ORDER BY key COLLATE "C") AS place
    FROM cached_resources
    WHERE type = :type AND deleted_at IS NULL
) AS ordered
WHERE place % :every = 1
