-- JWP's own stamp of a change beside the moment it was cached, newest first.
-- v1: `updated`, seconds since the epoch; v2: `last_modified`, ISO 8601. A stamp counts only where there was an older
-- one: the other API's, which every video gets when the API is switched, tells of its last edit, not of this change.
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
