-- The partitions of raw_pages that belong to no snapshot: those that hold pages, or those that do not.
SELECT
    slot.number AS slot,
    has_table_privilege(CAST('raw_pages_' || slot.number AS regclass), 'TRUNCATE') AS may_truncate
FROM (
    SELECT CAST(substring(relid::regclass::text FROM '[0-9]+$') AS smallint) AS number
    FROM pg_partition_tree('raw_pages')
    WHERE isleaf
) AS slot (number)
WHERE slot.number IS NOT NULL
    AND NOT EXISTS (SELECT FROM raw_snapshots AS snapshot WHERE snapshot.slot = slot.number)
    AND EXISTS (SELECT FROM raw_pages AS page WHERE page.slot = slot.number) = :holds_pages
ORDER BY slot.number
