-- The live rows, and those of them that the newest complete listing misses or that no listing has shown yet. These are
-- separate counts, because an index can answer each of them without reading the rows.
SELECT
    (SELECT count(*) FROM cached_resources WHERE type = :type AND deleted_at IS NULL) AS live,
    (SELECT count(*) FROM cached_resources WHERE type = :type AND missing_since IS NOT NULL) AS missing,
    (
        SELECT count(*) FROM cached_resources
        WHERE type = :type AND pushed_at IS NOT NULL AND missing_since IS NULL AND deleted_at IS NULL
    ) AS never_listed
