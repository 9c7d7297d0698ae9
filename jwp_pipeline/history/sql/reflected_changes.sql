-- JWP's own stamp of a change beside the moment it was cached, newest first.
-- v1: `updated`, seconds since the epoch; v2: `last_modified`, ISO 8601.
SELECT
    changed_at,
    changed_fields -> 'updated' ->> 1 AS updated,
    changed_fields -> 'last_modified' ->> 1 AS last_modified
FROM resource_changes
WHERE change = 'changed' AND changed_fields ?| ARRAY['updated', 'last_modified']
ORDER BY id DESC
LIMIT :rows
