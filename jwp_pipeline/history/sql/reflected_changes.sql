-- JWP's time stamp of each change next to the time at which it was cached, newest first.
-- v1 has `updated` (seconds since the epoch), v2 has `last_modified` (ISO 8601). A stamp counts only if it replaced an
-- older one of the same field: when the API is switched, every video gets a stamp in the other field, which belongs to
-- its last edit and not to this change.
SELECT changed_at, updated, last_modified
FROM resource_changes
CROSS JOIN LATERAL (
    SELECT
        CASE WHEN changed_fields -> 'updated' ->> 0 IS NOT NULL THEN changed_fields -> 'updated' ->> 1 END AS updated,
        CASE WHEN changed_fields -> 'last_modified' ->> 0 IS NOT NULL
            THEN changed_fields -> 'last_modified' ->> 1 END AS last_modified
) AS stamp
WHERE change = 'changed' AND coalesce(updated, last_modified) IS NOT NULL
ORDER BY id DESC
LIMIT :rows
